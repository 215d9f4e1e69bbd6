"""Dify's prompt generator: a trace of one generation."""

from __future__ import annotations

from mapper import ids, trace_wide
from mapper.level import status_message
from mapper.observation import Level, Observation, Trace
from mapper.options import MappingOptions
from mapper.turn import span_of
from mapper.usage import consumption, of_generation
from payloads.trace_info import PromptGenerationTraceInfo

_NAME = "prompt_generation"


def to_trace(payload: PromptGenerationTraceInfo, options: MappingOptions) -> Trace:
    """`PromptGenerationTraceInfo` as the root of its own trace. It has a latency, but usually no times."""
    digest = ids.content_digest(payload.raw)
    trace = ids.trace_id(payload.trace_id or f"{_NAME}:{digest}")
    start, end, warnings = span_of(payload, options, payload.latency)
    consumed = of_generation(
        consumption(
            input_tokens=payload.prompt_tokens,
            output_tokens=payload.completion_tokens,
            total_tokens=payload.total_tokens,
            total_price=payload.total_price,
            currency=payload.currency,
        ),
        payload.model_name,
    )
    of_level: Level = "ERROR" if payload.error else "DEFAULT"
    observation = Observation(
        id=ids.observation_id(trace, _NAME, digest),
        parent_id=None,
        type="generation",
        name=_NAME,
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, payload.error),
        input=payload.inputs if payload.inputs is not None else payload.instruction,
        output=payload.outputs,
        metadata=trace_wide.own_metadata(
            payload,
            *("prompt_tokens", "completion_tokens", "total_tokens", "total_price", "currency", "model_name"),
            instruction=payload.instruction if payload.inputs is not None else None,
        )
        | consumed.metadata,
        model=payload.model_name,
        usage=consumed.usage,
        cost=consumed.cost,
    )
    return Trace(
        id=trace,
        name=_NAME,
        observations=(observation,),
        user_id=trace_wide.user_id(payload),
        session_id=trace_wide.session_id(payload),
        tags=(_NAME,),
        metadata=trace_wide.trace_metadata(payload),
        warnings=warnings,
    )
