"""One answer of an easy-UI app: the root of its trace, and the model's generation under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from mapper import ids, times, trace_wide
from mapper.content import messages
from mapper.errors import MappingError
from mapper.level import level, status_message
from mapper.observation import Observation, Trace
from mapper.options import NO_TIME, MappingOptions
from mapper.usage import consumption, of_generation
from payloads.trace_info import MessageData, MessageTraceInfo
from payloads.usage import LLMUsage, find_usage


def to_trace(payload: MessageTraceInfo, options: MappingOptions) -> Trace:
    """`MessageTraceInfo` as `message` (agent or chain) with an `llm` generation, which carries usage and cost."""
    message_id = payload.find_text("message_id") or payload.find_text("id")
    if message_id is None:
        raise MappingError("message_id", "is missing: it names the message")
    trace = trace_wide.trace_id(payload)
    message = payload.message_data or MessageData()
    reported = find_usage(message.message_metadata.get("usage"))
    start, end, warnings = _span_of(payload, message, options)
    status = payload.find_text("status")
    error = payload.error or message.error
    of_level = level(status, error)
    model = payload.find_text("model_id") or payload.find_text("ls_model_name")
    consumed = consumption(
        reported,
        input_tokens=payload.message_tokens,
        output_tokens=payload.answer_tokens,
        total_tokens=payload.total_tokens,
        total_price=message.total_price,
        currency=message.currency,
    )
    consumed = of_generation(consumed, model)
    metadata = trace_wide.own_metadata(
        payload, "message_tokens", "answer_tokens", "gen_ai_server_time_to_first_token", status=status, error=error
    )
    root = Observation(
        id=ids.root_id(trace),
        parent_id=None,
        type="agent" if payload.find("agent_based") is True else "chain",
        name="message",
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, error),
        input=messages(payload.inputs),
        output=payload.outputs,
        metadata=metadata,
    )
    generation = replace(
        root,
        id=ids.observation_id(trace, "llm", message_id),
        parent_id=root.id,
        type="generation",
        name="llm",
        metadata=metadata | consumed.metadata,
        model=model,
        usage=consumed.usage,
        cost=consumed.cost,
        completion_start_time=_first_token(payload, reported, start, end),
    )
    return Trace(
        id=trace,
        name=trace_wide.message_name(payload, options),
        observations=(root, generation),
        user_id=trace_wide.user_id(payload),
        session_id=trace_wide.session_id(payload),
        tags=("message", *((payload.conversation_mode,) if payload.conversation_mode else ())),
        metadata=trace_wide.trace_metadata(payload),
        warnings=warnings,
    )


def _span_of(
    payload: MessageTraceInfo, message: MessageData, options: MappingOptions
) -> tuple[int, int, tuple[str, ...]]:
    """Start and end. All of these are times of Dify's database: naive UTC."""
    start_time = payload.start_time or message.created_at or payload.end_time
    if start_time is None:
        return options.received_at, options.received_at, (NO_TIME,)
    start = times.to_ns(start_time, UTC)
    end_time = payload.end_time or message.updated_at
    return start, max(start, times.to_ns(end_time, UTC) if end_time else start), ()


def _first_token(payload: MessageTraceInfo, reported: LLMUsage | None, start: int, end: int) -> int | None:
    seconds = payload.gen_ai_server_time_to_first_token
    if seconds is None and reported is not None:
        seconds = reported.time_to_first_token
    return None if seconds is None else min(start + times.seconds_to_ns(seconds), end)
