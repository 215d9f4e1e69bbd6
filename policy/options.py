"""What the policy needs to know beside the trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Masking = Literal["secrets", "personal", "off"]
Content = Literal["full", "metadata-only"]


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The owner's choices for every trace of an endpoint. `sample_rate` is 0 to 1."""

    environment: str | None = None
    release: str | None = None
    tags: tuple[str, ...] = ()
    masking: Masking = "secrets"
    content: Content = "full"
    sample_rate: float = 1.0
