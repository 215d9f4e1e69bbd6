"""The title of a conversation: a trace of its own, in the conversation's session."""

from __future__ import annotations

from mapper import ids, trace_wide
from mapper.content import messages
from mapper.errors import MappingError
from mapper.observation import Observation, Trace
from mapper.options import MappingOptions
from mapper.turn import span_of
from payloads.trace_info import GenerateNameTraceInfo

NAME = "generate_conversation_name"


def title_trace_id(conversation_id: str) -> str:
    """The trace of a conversation's title.

    Its key is the conversation alone. A caller's `trace_id` belongs to the turn that was traced under it:
    as a second root there, the title would take the place of the message.
    """
    return ids.trace_id(f"generate_name:{conversation_id}")


def to_trace(payload: GenerateNameTraceInfo, options: MappingOptions) -> Trace:
    """`GenerateNameTraceInfo` as a trace of one generation."""
    conversation_id = trace_wide.session_id(payload)
    if conversation_id is None:
        raise MappingError("conversation_id", "is missing: it names the trace")
    trace = title_trace_id(conversation_id)
    start, end, warnings = span_of(payload, options)
    observation = Observation(
        id=ids.root_id(trace),
        parent_id=None,
        type="generation",
        name=NAME,
        start_time=start,
        end_time=end,
        level="ERROR" if payload.error else "DEFAULT",
        status_message=payload.error,
        input=messages(payload.inputs),
        output=payload.outputs,
        metadata=trace_wide.own_metadata(payload, error=payload.error),
    )
    return Trace(
        id=trace,
        name=NAME,
        observations=(observation,),
        user_id=trace_wide.user_id(payload),
        session_id=conversation_id,
        tags=("generate_name",),
        metadata=trace_wide.trace_metadata(payload),
        warnings=warnings,
    )
