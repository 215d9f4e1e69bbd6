"""What happens around one chat message: a single observation under the root that the message gives the trace.

Moderation, retrieval, tool calls and suggested questions each arrive in a payload of their own, before or
after the message; all find the same root, because its id depends on the trace alone.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from mapper import ids, times, trace_wide
from mapper.level import status_message
from mapper.observation import Level, Observation, ObservationType, Trace
from mapper.options import NO_TIME, MappingOptions
from mapper.usage import NOTHING, Consumption
from payloads.trace_info import TraceInfo


def part_of_turn(
    payload: TraceInfo,
    options: MappingOptions,
    *,
    kind: str,
    type: ObservationType,  # noqa: A002 - Langfuse's word
    name: str,
    input: Any,  # noqa: A002 - Langfuse's word
    output: Any,
    metadata: dict[str, Any],
    level: Level = "DEFAULT",
    errors: tuple[str | None, ...] = (),
    tags: tuple[str, ...] = (),
    model: str | None = None,
    consumed: Consumption = NOTHING,
    duration_s: float | None = None,
) -> Trace:
    """One observation of `kind` under the root of its message's trace; its id comes from its content."""
    trace = trace_wide.trace_id(payload)
    start, end, warnings = span_of(payload, options, duration_s)
    observation = Observation(
        id=ids.observation_id(trace, kind, ids.content_digest(payload.raw)),
        parent_id=ids.root_id(trace),
        type=type,
        name=name,
        start_time=start,
        end_time=end,
        level=level,
        status_message=status_message(level, *errors),
        input=input,
        output=output,
        metadata=metadata | consumed.metadata,
        model=model,
        usage=consumed.usage,
        cost=consumed.cost,
    )
    return Trace(
        id=trace,
        name=trace_wide.message_name(payload, options),
        observations=(observation,),
        user_id=trace_wide.user_id(payload),
        session_id=trace_wide.session_id(payload),
        tags=("message", *tags),
        metadata=trace_wide.trace_metadata(payload),
        warnings=warnings,
    )


def span_of(
    payload: TraceInfo, options: MappingOptions, duration_s: float | None = None
) -> tuple[int, int, tuple[str, ...]]:
    """Start and end in nanoseconds, and warnings, for payloads that Dify stamps with a container's local clock.

    Where the timer is missing, the message's own times (naive UTC, from the database) stand in, and where
    those are missing too, the time of arrival.
    """
    message = payload.message_data
    start = end = None
    if payload.start_time is not None:
        start = times.to_ns(payload.start_time, options.timezone)
    if payload.end_time is not None:
        end = times.to_ns(payload.end_time, options.timezone)
    if start is None and end is not None:
        start = end - times.seconds_to_ns(duration_s or 0)
    if start is None and message is not None and message.created_at is not None:
        start = times.to_ns(message.created_at, UTC)
    if start is None:
        start = options.received_at
        return start, start + times.seconds_to_ns(duration_s or 0), (NO_TIME,)
    if end is None and duration_s is not None:
        end = start + times.seconds_to_ns(duration_s)
    if end is None and message is not None and message.updated_at is not None:
        end = times.to_ns(message.updated_at, UTC)
    return start, max(start, end or start), ()
