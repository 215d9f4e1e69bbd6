"""A workflow or chatflow run: the root of its trace, and everything that its nodes did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

from mapper import ids, node_tree, times, trace_wide
from mapper.content import chat_view, present, text
from mapper.errors import MappingError
from mapper.level import level, status_message
from mapper.node import Run
from mapper.observation import Observation, Trace
from mapper.options import NO_TIME, MappingOptions
from payloads.trace_info import WorkflowTraceInfo

_NOT_FOR_METADATA = ("graph", "inputs", "outputs")
"""Of `workflow_data`: the whole graph with its prompts, and what is the run's input and output already."""


_ELSEWHERE = (
    "workflow_data",
    "workflow_run_inputs",
    "workflow_run_outputs",
    "workflow_run_elapsed_time",
    "workflow_run_status",
    "workflow_run_version",
    "workflow_node_executions",
)
"""Input, output and nodes; and what Dify itself calls by its shorter name in `metadata`."""


def to_trace(payload: WorkflowTraceInfo, options: MappingOptions) -> Trace:
    """`WorkflowTraceInfo` with its node executions.

    A workflow run is a root chain over its nodes; a chatflow run a `message` chain over a `workflow` chain over
    its nodes; a run that another workflow called, in a trace that the caller chose, a `workflow` chain under
    the calling tool node.
    """
    run_id = payload.find_text("workflow_run_id") or text(payload.workflow_data.get("id"))
    if run_id is None:
        raise MappingError("workflow_run_id", "is missing: it names the run")
    trace = ids.trace_id(payload.trace_id or payload.find_text("message_id") or run_id)
    start, end, warnings = _span_of(payload, options)
    run = Run(trace, start, run_id, payload.error, shared_trace=payload.trace_id is not None)
    of_level = level(_status(payload), payload.error)
    chain = Observation(
        id=ids.observation_id(trace, "workflow", run_id),
        parent_id=ids.root_id(trace),
        type="chain",
        name="workflow",
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, payload.error),
        input=_run_inputs(payload),
        output=_run_outputs(payload),
        metadata=_metadata(payload),
    )
    caller = _calling_node(payload)
    name: str | None = trace_wide.run_name(payload, options)
    tags: tuple[str, ...] = ("workflow",)
    above: tuple[Observation, ...]
    if caller is not None:
        # The trace is the caller's: its name and tags are not this run's to give.
        name, tags = None, ()
        above = (replace(chain, parent_id=ids.observation_id(trace, "node", caller)),)
    elif payload.find_text("message_id"):
        tags = ("message", "workflow")
        above = (_message_root(payload, chain, ids.root_id(trace)), chain)
    else:
        above = (replace(chain, id=ids.root_id(trace), parent_id=None),)
    nodes = node_tree.observe(payload.workflow_node_executions or (), run, above[-1].id)
    return Trace(
        id=trace,
        name=name,
        observations=(*above, *nodes),
        user_id=trace_wide.user_id(payload),
        session_id=trace_wide.session_id(payload),
        tags=tags,
        metadata=trace_wide.trace_metadata(payload),
        version=payload.workflow_run_version or payload.find_text("version"),
        warnings=warnings,
    )


def _message_root(payload: WorkflowTraceInfo, chain: Observation, root_id: str) -> Observation:
    """The user's view of a chatflow run: the question and the answer."""
    question, answer = chat_view(_query(payload), chain.input, chain.output)
    return replace(chain, id=root_id, parent_id=None, name="message", input=question, output=answer)


def _calling_node(payload: WorkflowTraceInfo) -> str | None:
    """The tool node that called this run, where both are in one trace: the caller's trace id says so.

    Without one the calling run's trace cannot be known; then the run is a trace of its own, and
    `parent_trace_context` in its metadata names the caller.
    """
    context = payload.metadata.get("parent_trace_context")
    if payload.trace_id is None or not isinstance(context, dict):
        return None
    return text(context.get("parent_node_execution_id"))


def _span_of(payload: WorkflowTraceInfo, options: MappingOptions) -> tuple[int, int, tuple[str, ...]]:
    """Start and end of the run: naive UTC from Dify's database, or from its nodes where the run has none."""
    rows = payload.workflow_node_executions or ()
    begun = [times.to_ns(row.created_at) for row in rows if row.created_at is not None]
    duration = times.seconds_to_ns(payload.workflow_run_elapsed_time or 0.0)
    warnings: tuple[str, ...] = ()
    end = None if payload.end_time is None else times.to_ns(payload.end_time, UTC)
    if payload.start_time is not None:
        start = times.to_ns(payload.start_time, UTC)
    elif begun:
        start = min(begun)
    elif end is not None:
        start = end - duration
    else:
        start = options.received_at
        warnings = (NO_TIME,)
    return start, max(start, start + duration if end is None else end), warnings


def _metadata(payload: WorkflowTraceInfo) -> dict[str, Any]:
    workflow_data = {name: value for name, value in payload.workflow_data.items() if name not in _NOT_FOR_METADATA}
    return trace_wide.own_metadata(
        payload,
        *_ELSEWHERE,
        elapsed_time=payload.workflow_run_elapsed_time,
        query=_query(payload),
        triggered_from=payload.triggered_from or text(payload.workflow_data.get("triggered_from")),
        status=payload.workflow_run_status,
        version=payload.workflow_run_version,
        workflow_data=present(**workflow_data) or None,
    )


def _status(payload: WorkflowTraceInfo) -> str | None:
    return payload.workflow_run_status or payload.find_text("status") or text(payload.workflow_data.get("status"))


def _query(payload: WorkflowTraceInfo) -> Any:
    inputs = _run_inputs(payload)
    if payload.query:
        return payload.query
    return inputs.get("sys.query") if isinstance(inputs, dict) else None


def _run_inputs(payload: WorkflowTraceInfo) -> Any:
    return payload.inputs if payload.workflow_run_inputs is None else payload.workflow_run_inputs


def _run_outputs(payload: WorkflowTraceInfo) -> Any:
    return payload.outputs if payload.workflow_run_outputs is None else payload.workflow_run_outputs
