"""A node execution that arrives on its own: a part of its run's trace, or, for a draft, a trace of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mapper import ids, node_tree, times, trace_wide
from mapper.errors import MappingError
from mapper.node import Run
from mapper.observation import Trace
from mapper.options import NO_TIME, MappingOptions
from payloads.node_execution import NodeExecution
from payloads.trace_info import DraftNodeExecutionTrace, WorkflowNodeTraceInfo

_SAME_NAME = (
    "node_execution_id",
    "workflow_id",
    "node_id",
    "node_type",
    "title",
    "index",
    "predecessor_node_id",
    "process_data",
    "status",
    "error",
    "elapsed_time",
    "model_provider",
    "model_name",
)
_TOTALS = (
    "total_tokens",
    "total_price",
    "currency",
    "prompt_tokens",
    "completion_tokens",
    "iteration_id",
    "iteration_index",
    "loop_id",
    "loop_index",
    "parallel_id",
)

_IN_THE_ROW = (*_SAME_NAME, *_TOTALS, "node_inputs", "node_outputs")


def to_trace(payload: WorkflowNodeTraceInfo, options: MappingOptions) -> Trace:
    """`WorkflowNodeTraceInfo` as a child of its run; `DraftNodeExecutionTrace` as the root of its own trace.

    Its container's row is not in this payload, so a node of an iteration or loop hangs under the run, and
    says in its metadata which round it belongs to.
    """
    is_draft = isinstance(payload, DraftNodeExecutionTrace)
    run_id = payload.find_text("workflow_run_id")
    message_id = payload.find_text("message_id")
    key = payload.trace_id or message_id or run_id or (payload.node_execution_id if is_draft else None)
    if key is None:
        raise MappingError("workflow_run_id", "is missing: it names the run that the node belongs to")
    trace = ids.trace_id(key)
    parent = ids.observation_id(trace, "workflow", run_id) if message_id and run_id else ids.root_id(trace)
    row = _row(payload)
    warnings: tuple[str, ...] = ()
    started_at = options.received_at
    if row.created_at is not None:
        started_at = times.to_ns(row.created_at)
    elif row.finished_at is not None:
        started_at = times.to_ns(row.finished_at)
    else:
        warnings = (NO_TIME,)
    run = Run(trace, started_at, run_id, shared_trace=payload.trace_id is not None)
    node, *inner = node_tree.observe_alone(row, run, parent)
    metadata = trace_wide.own_metadata(payload, *_IN_THE_ROW) | node.metadata
    observation = replace(node, parent_id=None if is_draft else parent, metadata=metadata)
    return Trace(
        id=trace,
        name=observation.name if is_draft else trace_wide.run_name(payload, options),
        observations=(observation, *inner),
        user_id=trace_wide.user_id(payload),
        session_id=trace_wide.session_id(payload),
        tags=("workflow_node",) if is_draft else ("message", "workflow") if message_id else ("workflow",),
        metadata=trace_wide.trace_metadata(payload),
        warnings=warnings,
    )


def _row(payload: WorkflowNodeTraceInfo) -> NodeExecution:
    """The flat payload in the shape of a run's node execution."""
    totals: dict[str, Any] = {name: getattr(payload, name) for name in _TOTALS}
    # The enterprise payload writes zeros for "none", even on nodes that call no model.
    totals |= {name: totals[name] or None for name in ("total_tokens", "total_price")}
    agent = payload.metadata.get("agent_log") or (payload.model_extra or {}).get("agent_log")
    return NodeExecution.model_validate(
        {
            **{name: getattr(payload, name) for name in _SAME_NAME},
            "inputs": payload.node_inputs if payload.node_inputs is not None else payload.inputs,
            "outputs": payload.node_outputs if payload.node_outputs is not None else payload.outputs,
            "created_at": payload.start_time,
            "finished_at": payload.end_time,
            "execution_metadata": {**totals, "agent_log": agent},
        }
    )
