"""The steps inside an agent node: rounds, thoughts, tool calls, nested as the log says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mapper import ids, times
from mapper.content import present
from mapper.forest import parents_first
from mapper.level import level, status_message
from mapper.node import Run, node_id
from mapper.observation import Observation, ObservationType
from mapper.usage import NOTHING, Consumption, consumption
from payloads.node_execution import AgentLogEntry, NodeExecution

_THOUGHT = " Thought"  # "gpt-4o Thought": the label of a model call in Dify's agent strategies
_CALL = "CALL "  # "CALL weather": the label of a tool call
_ROUND = "ROUND "


@dataclass(frozen=True, slots=True)
class _Step:
    entry: AgentLogEntry
    stable_id: str
    parent: str | None
    has_children: bool
    consumed: Consumption


def observe(node: NodeExecution, run: Run, agent: Observation) -> list[Observation]:
    """The observations of an agent's log under `agent`; none where the node has no log."""
    log = node.execution_metadata.agent_log
    if not isinstance(log, list):
        return []
    clock_zero = min((e.metadata.started_at for e in log if e.metadata.started_at is not None), default=0.0)
    observations: dict[str, Observation] = {}
    for step in _steps(log):
        parent = agent if step.parent is None else observations[step.parent]
        start, end = _span_of(step.entry, clock_zero, agent, parent)
        observations[step.stable_id] = _observation(step, node, run, parent, start, end)
    return list(observations.values())


def carries_usage(node: NodeExecution) -> bool:
    """Whether the steps of the log account for tokens or money themselves, so that the agent must not."""
    log = node.execution_metadata.agent_log
    return isinstance(log, list) and any(_consumed(entry) for entry in log)


def _steps(log: Sequence[AgentLogEntry]) -> list[_Step]:
    """The log's entries, parents first.

    Usage stands on the innermost entries that have any: a round repeats the sum of what is inside it.
    """
    # An entry is written when it starts and again when it ends: the later one is complete.
    entries = {entry.stable_id or f"#{position}": entry for position, entry in enumerate(log)}
    parents = parents_first({key: entry.parent_id for key, entry in entries.items()})
    with_children = set(parents.values())
    own = {key: _consumed(entry) for key, entry in entries.items()}
    reporting: set[str | None] = set()  # entries with usage somewhere inside them
    for key, parent in reversed(parents.items()):
        if own[key] or key in reporting:
            reporting.add(parent)
    return [
        _Step(entries[key], key, parent, key in with_children, NOTHING if key in reporting else own[key])
        for key, parent in parents.items()
    ]


def _consumed(entry: AgentLogEntry) -> Consumption:
    metadata = entry.metadata
    consumed = consumption(
        total_tokens=metadata.total_tokens, total_price=metadata.total_price, currency=metadata.currency
    )
    return consumed or NOTHING


def _span_of(entry: AgentLogEntry, clock_zero: float, agent: Observation, parent: Observation) -> tuple[int, int]:
    """Laid out inside the agent's own time: the log's clock may be a process clock, so only differences count."""
    metadata = entry.metadata
    if metadata.started_at is None:
        start = parent.start_time
    else:
        start = min(agent.start_time + times.seconds_to_ns(metadata.started_at - clock_zero), agent.end_time)
    duration = metadata.elapsed_time
    if metadata.started_at is not None and metadata.finished_at is not None:
        duration = max(0.0, metadata.finished_at - metadata.started_at)
    return start, min(start + times.seconds_to_ns(duration or 0.0), agent.end_time)


def _observation(step: _Step, node: NodeExecution, run: Run, parent: Observation, start: int, end: int) -> Observation:
    entry = step.entry
    label = entry.label or "agent_log"
    of_type = _type(step, label)
    of_level = level(entry.status, entry.error)
    given, result, rest = _input_and_output(entry.data)
    return Observation(
        id=ids.observation_id(run.trace_id, "agent_log", f"{node.stable_id}:{step.stable_id}"),
        parent_id=parent.id,
        type=of_type,
        name=label,
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, entry.error, node.error),
        input=given,
        output=result,
        metadata=present(
            agent_node_id=node_id(run, node),
            log_id=step.stable_id,
            status=entry.status,
            error=entry.error,
            data=rest,
            log_metadata=entry.metadata.model_dump(mode="json", exclude_none=True) or None,
            dify_extra=present(**entry.model_extra or {}) or None,
        )
        | step.consumed.metadata,
        model=label.removesuffix(_THOUGHT) if of_type == "generation" and label.endswith(_THOUGHT) else None,
        usage=step.consumed.usage,
        cost=step.consumed.cost,
    )


def _type(step: _Step, label: str) -> ObservationType:
    if label.startswith(_CALL):
        return "tool"
    if label.endswith(_THOUGHT) or step.consumed:
        return "generation"
    if step.has_children or label.startswith(_ROUND):
        return "chain"
    return "span"


def _input_and_output(data: Any) -> tuple[Any, Any, Any]:
    """Input, output and the rest of an entry's `data`, by the keys that Dify's agent strategies use."""
    if not isinstance(data, dict):
        return None, data, None
    rest = dict(data)
    result = rest.pop("output", None)
    given = next((rest.pop(key) for key in ("input", "tool_input") if rest.get(key) is not None), None)
    if given is None and isinstance(result, dict) and "tool_call_input" in result and "tool_response" in result:
        result = dict(result)
        given = result.pop("tool_call_input")
        response = result.pop("tool_response")
        rest |= result
        result = response
    if given is None and result is None:
        return None, rest or None, None
    return given, result, rest or None
