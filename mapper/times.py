"""Times as integer nanoseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NS_PER_S = 1_000_000_000


def to_ns(time: datetime, zone: tzinfo = UTC) -> int:
    """Nanoseconds since 1970; a naive time is read as one in `zone`."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=zone)
    return (aware - _EPOCH) // _MICROSECOND * 1000


def seconds_to_ns(seconds: float) -> int:
    """A duration in nanoseconds, rounded to the microsecond that Dify's clocks have."""
    return round(seconds * 1_000_000) * 1000


def isoformat(time_ns: int) -> str:
    """ISO 8601 in UTC with milliseconds (Langfuse keeps no more), as `completion_start_time` takes it."""
    time = datetime.fromtimestamp(time_ns // _NS_PER_S, UTC).replace(microsecond=time_ns % _NS_PER_S // 1000)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
