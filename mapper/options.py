"""What the mapper needs to know beside the payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """Choices of the endpoint's owner, and the one clock reading that a mapping may need.

    `received_at`: nanoseconds since 1970, for payloads without any time. `timezone`: the zone of Dify's
    containers, for the payloads that Dify stamps with a container's local clock. `names_with_id`: trace
    names as in Dify's documentation (`workflow_{run id}`, `message_{message id}`).
    """

    received_at: int
    timezone: tzinfo = UTC
    names_with_id: bool = False


NO_TIME = "The payload has no start_time: the time of arrival stands in, so sending it again makes a copy."
"""The warning of a receipt whose trace took `received_at`."""
