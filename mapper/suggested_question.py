"""Suggested follow-up questions: a generation of the message's trace.

`total_tokens` in this payload is the original message's figure, so this call's usage is unknown.
"""

from __future__ import annotations

from mapper.content import messages
from mapper.level import level
from mapper.message_data import message_fields
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
        metadata=own_metadata(
            payload,
            total_tokens=payload.total_tokens,
            status=payload.status,
            error=payload.error,
            level=payload.level,
            status_message=payload.status_message,
            from_account_id=payload.from_account_id,
            from_end_user_id=payload.from_end_user_id,
            agent_based=payload.agent_based,
            from_source=payload.from_source,
            model_provider=payload.model_provider,
            model_id=payload.model_id,
            message_data=message_fields(payload),
        ),
    )
