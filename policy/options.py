"""What the policy needs to know beside the trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The owner's choices for every trace of an endpoint."""

    environment: str | None = None
    release: str | None = None
    tags: tuple[str, ...] = ()
