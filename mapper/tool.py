"""A tool call of an easy-UI agent: a tool observation of the message's trace."""

from __future__ import annotations

from mapper.message_data import message_fields
from mapper.observation import Trace
from mapper.options import MappingOptions
from mapper.trace_wide import own_metadata
from mapper.turn import part_of_turn
from payloads.trace_info import ToolTraceInfo

_OWN_INPUT_AND_OUTPUT = ("tool_inputs", "tool_outputs")
"""Dify repeats both in `metadata`; they are the observation's input and output."""


def to_trace(payload: ToolTraceInfo, options: MappingOptions) -> Trace:
    """`ToolTraceInfo` as one observation. Its `inputs` and `outputs` are the whole message's: not used."""
    metadata = own_metadata(
        payload,
        tool_name=payload.tool_name,
        time_cost=payload.time_cost,
        error=payload.error,
        tool_config=payload.tool_config,
        tool_parameters=payload.tool_parameters,
        file_url=payload.file_url,
        message_file_data=payload.message_file_data,
        message_file_id=payload.message_file_id,
        created_by_role=payload.created_by_role,
        created_user_id=payload.created_user_id,
        message_data=message_fields(payload),
    )
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
        metadata={name: value for name, value in metadata.items() if name not in _OWN_INPUT_AND_OUTPUT},
    )
