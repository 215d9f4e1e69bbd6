"""One workflow node execution as one observation, and its retried attempts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from pydantic import ValidationError

from mapper import ids, times
from mapper.content import messages, present, text
from mapper.level import level, status_message
from mapper.observation import Observation, ObservationType
from mapper.usage import NOTHING, Consumption, consumption, of_generation
from payloads.node_execution import NodeExecution, RetryAttempt
from payloads.usage import LLMUsage, find_usage

_TYPES: dict[str, ObservationType] = {
    "llm": "generation",
    "question-classifier": "generation",
    "parameter-extractor": "generation",
    "knowledge-retrieval": "retriever",
    "tool": "tool",
    "http-request": "tool",
    "agent": "agent",
    "iteration": "chain",
    "loop": "chain",
}
"""Dify's node types; all others are spans."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the nodes of one run share.

    `started_at` (ns) stands in for a node without a start; `error` for a failed node without its own;
    `shared_trace` says that the caller chose the trace, so that nested workflows report into it themselves.
    """

    trace_id: str
    started_at: int
    workflow_run_id: str | None = None
    error: str | None = None
    shared_trace: bool = False


def node_id(run: Run, node: NodeExecution) -> str:
    """The observation id of a node."""
    return ids.observation_id(run.trace_id, "node", node.stable_id)


def observe(node: NodeExecution, run: Run, parent_id: str, *, is_container: bool = False) -> Observation:
    """The observation of `node` under `parent_id`.

    `is_container`: its totals are carried by the observations inside it, so they stay in metadata.
    """
    start, end = _span_of(node, run)
    process_data = node.process_data if isinstance(node.process_data, dict) else {}
    outputs = node.outputs if isinstance(node.outputs, dict) else {}
    reported = find_usage(process_data.get("usage"), outputs.get("usage"), outputs.get("__usage"))
    of_type = _TYPES.get(node.node_type, "span")
    model = node.model_name or text(process_data.get("model_name"))
    of_level = level(node.status, node.error)
    nested = run.shared_trace and _is_workflow_tool(node)
    consumed = NOTHING if is_container or nested else _consumed(node, reported, of_type, model)
    first_token = reported.time_to_first_token if reported and of_type == "generation" else None
    prompts = process_data.get("prompts")
    has_prompts = node.node_type == "llm" and bool(prompts)
    parameters = process_data.get("model_parameters") or process_data.get("completion_params")
    return Observation(
        id=node_id(run, node),
        parent_id=parent_id,
        type=of_type,
        name=node.title or node.node_type,
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, node.error, run.error),
        input=messages(prompts) if has_prompts else node.inputs,
        output=node.outputs,
        metadata=_metadata(node, run, process_data, has_prompts=has_prompts) | consumed.metadata,
        model=model if of_type == "generation" else None,
        model_parameters=parameters if isinstance(parameters, dict) else None,
        usage=consumed.usage,
        cost=consumed.cost,
        completion_start_time=None if first_token is None else min(start + times.seconds_to_ns(first_token), end),
    )


def as_attempt(retried: NodeExecution, of: NodeExecution, index: int, run: Run) -> Observation:
    """A row with status `retry` as a child of the node that it was an attempt of, level WARNING."""
    observation = observe(retried, run, node_id(run, of))
    return replace(
        observation,
        id=ids.observation_id(run.trace_id, "attempt", f"{of.stable_id}:{index}"),
        level="WARNING",
        status_message=retried.error or observation.status_message,
        metadata=observation.metadata | {"retry_index": index},
    )


def retry_history(node: NodeExecution) -> list[RetryAttempt]:
    """The attempts that newer Dify keeps inside `process_data`, under a key of its own; known by their shape."""
    process_data = node.process_data if isinstance(node.process_data, dict) else {}
    return next((history for value in process_data.values() if (history := _history(value))), [])


def attempts_in_history(node: NodeExecution, run: Run) -> list[Observation]:
    """The attempts of `node` that its `process_data` tells of."""
    attempts = []
    for position, attempt in enumerate(retry_history(node)):
        row = NodeExecution.model_validate(
            {
                "id": node.stable_id,
                "node_id": node.node_id,
                "node_type": node.node_type,
                "title": node.title,
                "status": "retry",
                "created_at": attempt.created_at or node.created_at,
                **{
                    name: getattr(attempt, name)
                    for name in ("inputs", "process_data", "outputs", "error", "elapsed_time", "finished_at")
                },
            }
        )
        index = position if attempt.retry_index is None else attempt.retry_index
        attempts.append(as_attempt(row, node, index, run))
    return attempts


def _history(value: Any) -> list[RetryAttempt]:
    if not isinstance(value, list) or not value:
        return []
    if not all(isinstance(item, dict) and "retry_index" in item for item in value):
        return []
    try:
        return [RetryAttempt.model_validate(item) for item in value]
    except ValidationError:
        return []


def _span_of(node: NodeExecution, run: Run) -> tuple[int, int]:
    start = run.started_at if node.created_at is None else times.to_ns(node.created_at, UTC)
    end = None if node.finished_at is None else times.to_ns(node.finished_at, UTC)
    # The console API's whole seconds would make every quick node last 0 s or 1 s.
    in_whole_seconds = start % 1_000_000_000 == 0 and (end or 0) % 1_000_000_000 == 0
    if node.elapsed_time is not None and (end is None or in_whole_seconds):
        end = start + times.seconds_to_ns(node.elapsed_time)
    return start, max(start, end or start)


def _consumed(
    node: NodeExecution, reported: LLMUsage | None, of_type: ObservationType, model: str | None
) -> Consumption:
    totals = node.execution_metadata
    # Dify writes total_tokens 0 on every kind of node: not a report of usage.
    consumed = consumption(
        reported,
        input_tokens=totals.prompt_tokens,
        output_tokens=totals.completion_tokens,
        total_tokens=totals.total_tokens or (reported.total_tokens if reported else None),
        total_price=totals.total_price,
        currency=totals.currency,
    )
    if of_type == "generation":
        return of_generation(consumed, model)
    return consumed or NOTHING


def _is_workflow_tool(node: NodeExecution) -> bool:
    tool_info = node.execution_metadata.tool_info
    return isinstance(tool_info, dict) and tool_info.get("provider_type") == "workflow"


def _metadata(node: NodeExecution, run: Run, process_data: dict[str, Any], *, has_prompts: bool) -> dict[str, Any]:
    history = retry_history(node)
    mapped = {"usage", "prompts"} if has_prompts else {"usage"}
    rest = {
        name: value for name, value in process_data.items() if name not in mapped and not (history and _history(value))
    }
    totals = node.execution_metadata
    execution = totals.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"agent_log"})
    log: Any = totals.agent_log
    if isinstance(log, dict):  # agent v2 tells of its backend here; a list of steps becomes observations
        execution["agent_log"] = log
    return present(
        workflow_run_id=run.workflow_run_id,
        workflow_id=node.workflow_id,
        node_execution_id=node.node_execution_id or node.id,
        node_id=node.node_id,
        node_type=node.node_type,
        node_name=node.title,
        index=node.index,
        predecessor_node_id=node.predecessor_node_id,
        status=node.status,
        error=node.error,
        elapsed_time=node.elapsed_time,
        model_provider=node.model_provider or text(process_data.get("model_provider")),
        # The variables of a model call, whose input is the prompts made from them.
        inputs=node.inputs if has_prompts else None,
        process_data=rest or None,
        execution_metadata=execution or None,
        dify_extra=present(**node.model_extra or {}) or None,
    )
