"""Suggested follow-up questions: a generation of the message's trace.

`total_tokens` in this payload is the original message's figure, so this call's usage is unknown.
"""

from __future__ import annotations

from mapper.content import messages
from mapper.level import level
from mapper.observation import Trace
from mapper.options import MappingOptions
from mapper.trace_wide import own_metadata
from mapper.turn import part_of_turn
from mapper.usage import NOTHING, of_generation
from payloads.trace_info import SuggestedQuestionTraceInfo


def to_trace(payload: SuggestedQuestionTraceInfo, options: MappingOptions) -> Trace:
    """`SuggestedQuestionTraceInfo` as one observation."""
    model = payload.model_id or payload.find_text("ls_model_name")
    questions = payload.suggested_question if payload.suggested_question is not None else payload.outputs
    return part_of_turn(
        payload,
        options,
        kind="suggested_question",
        type="generation",
        name="suggested_question",
        input=messages(payload.inputs),
        output=questions,
        level=level(payload.status or payload.level, payload.error),
        errors=(payload.error, payload.status_message),
        tags=("suggested_question",),
        model=model,
        consumed=of_generation(NOTHING, model),
        metadata=own_metadata(payload, "suggested_question"),
    )
