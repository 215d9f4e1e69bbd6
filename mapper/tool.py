"""A tool call of an easy-UI agent: a tool observation of the message's trace."""

from __future__ import annotations

from mapper.observation import Trace
from mapper.options import MappingOptions
from mapper.trace_wide import own_metadata
from mapper.turn import part_of_turn
from payloads.trace_info import ToolTraceInfo

_ELSEWHERE = ("tool_inputs", "tool_outputs")
"""The observation's input and output. Dify repeats both in `metadata`."""


def to_trace(payload: ToolTraceInfo, options: MappingOptions) -> Trace:
    """`ToolTraceInfo` as one observation. Its `inputs` and `outputs` are the whole message's: not used."""
    metadata = own_metadata(payload, *_ELSEWHERE)
    return part_of_turn(
        payload,
        options,
        kind="tool",
        type="tool",
        name=payload.tool_name,
        input=payload.tool_inputs,
        output=payload.tool_outputs,
        level="ERROR" if payload.error else "DEFAULT",
        errors=(payload.error,),
        tags=("tool", payload.tool_name),
        duration_s=payload.time_cost,
        metadata={name: value for name, value in metadata.items() if name not in _ELSEWHERE},
    )
