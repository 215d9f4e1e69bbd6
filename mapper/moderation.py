"""Input moderation: a guardrail of the message's trace, WARNING where it flagged."""

from __future__ import annotations

from mapper.content import present
from mapper.observation import Trace
from mapper.options import MappingOptions
from mapper.trace_wide import own_metadata
from mapper.turn import part_of_turn
from payloads.trace_info import ModerationTraceInfo


def to_trace(payload: ModerationTraceInfo, options: MappingOptions) -> Trace:
    """`ModerationTraceInfo` as one observation."""
    verdict = present(action=payload.action, flagged=payload.flagged, preset_response=payload.preset_response)
    return part_of_turn(
        payload,
        options,
        kind="moderation",
        type="guardrail",
        name="moderation",
        input=payload.inputs,
        output=verdict,
        level="ERROR" if payload.error else "WARNING" if payload.flagged else "DEFAULT",
        errors=(payload.error,),
        tags=("moderation",),
        metadata=own_metadata(payload, "flagged"),
    )
