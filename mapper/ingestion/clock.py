"""When a legacy event's observation began and ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mapper import times
from payloads.ingestion import ObservationBody

_LONGEST_S = 200 * 365 * 86_400  # far enough for unix seconds, too


def span_of(body: ObservationBody, at: int, *, utc: bool = False) -> tuple[int, int]:
    """Start and end in nanoseconds; `at` stands in where the body has neither. `utc`: see `moment`."""
    start = moment(body.start_time, utc=utc)
    end = moment(body.end_time, utc=utc)
    if start is None:
        start = at if end is None else end
    return start, max(start, end or start)


def moment(time: datetime | None, *, utc: bool = False) -> int | None:
    """Nanoseconds since 1970.

    `utc`: the time is one of Dify's database, naive UTC, to which the SDK has added the container's offset
    (all versions do): its wall clock is right, its offset is not.
    """
    if time is None:
        return None
    return times.to_ns(time.replace(tzinfo=UTC) if utc else time)


def parsed(value: Any) -> int | None:
    """A time that was written into content, as nanoseconds; None where it is none."""
    try:
        return times.to_ns(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def duration(value: Any) -> int:
    """A number of seconds (or unix seconds) that was written into content, as nanoseconds; 0 where it is none."""
    plausible = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST_S
    return times.seconds_to_ns(value) if plausible else 0
