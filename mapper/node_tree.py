"""The nodes of one run as a tree: containers, their rounds, retried attempts, agents' steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mapper import agent_log, ids, times
from mapper import node as nodes
from mapper.forest import parents_first
from mapper.node import Run
from mapper.observation import Observation
from payloads.node_execution import NodeExecution

_Kind = Literal["iteration", "loop"]


@dataclass(frozen=True, slots=True)
class _Round:
    """One round of a container execution; `index` is 0-based, as Dify counts."""

    container: NodeExecution
    kind: _Kind
    index: int

    @property
    def key(self) -> tuple[str, int]:
        return self.container.stable_id, self.index

    def id(self, run: Run) -> str:
        return ids.observation_id(run.trace_id, "round", f"{self.container.stable_id}:{self.index}")


def observe(executions: Sequence[NodeExecution], run: Run, parent_id: str) -> list[Observation]:
    """All observations of a run's nodes; those in no container hang under `parent_id`."""
    rows = {row.stable_id: row for row in executions}  # a row that is listed twice counts once, the later one
    by_node: dict[str | None, list[NodeExecution]] = {}
    for row in rows.values():
        by_node.setdefault(row.node_id, []).append(row)
    rounds = _rounds(rows, by_node)
    attempt_of = _attempts(rows, by_node, rounds)
    containers = {found.container.stable_id for found in rounds.values() if found is not None}
    observations: dict[str, Observation] = {}
    children: dict[tuple[str, int], list[Observation]] = {}
    for key, row in rows.items():
        inside = rounds[key]
        if key in attempt_of:
            final, index = attempt_of[key]
            made = [nodes.as_attempt(row, final, index, run)]
        else:
            above = parent_id if inside is None else inside.id(run)
            made = list(_with_inner(row, run, above, has_children=key in containers))
            if inside is not None:
                children.setdefault(inside.key, []).append(made[0])
        # An attempt that is told twice, as a row and in a history, has one id and counts once.
        observations |= {observation.id: observation for observation in made}
    seen: set[tuple[str, int]] = set()
    for found in rounds.values():
        if found is not None and found.key not in seen and found.key in children:
            seen.add(found.key)
            wrapper = _observe_round(found, run, children[found.key])
            observations[wrapper.id] = wrapper
    return list(observations.values())


def observe_alone(row: NodeExecution, run: Run, parent_id: str) -> list[Observation]:
    """A node whose run's other rows are elsewhere: itself first, then its attempts and its agent's steps.

    What ran inside an iteration or loop comes on its own, too, and carries the container's totals.
    """
    return list(_with_inner(row, run, parent_id, has_children=row.node_type in get_args(_Kind)))


def _with_inner(row: NodeExecution, run: Run, parent_id: str, *, has_children: bool) -> Iterator[Observation]:
    observation = nodes.observe(row, run, parent_id, is_container=has_children or agent_log.carries_usage(row))
    yield observation
    yield from nodes.attempts_in_history(row, run)
    yield from agent_log.observe(row, run, observation)


def _observe_round(found: _Round, run: Run, children: Sequence[Observation]) -> Observation:
    return Observation(
        id=found.id(run),
        parent_id=nodes.node_id(run, found.container),
        type="chain",
        name=f"{found.kind} {found.index + 1}",
        start_time=min(child.start_time for child in children),
        end_time=max(child.end_time for child in children),
        metadata={f"{found.kind}_id": found.container.node_id, f"{found.kind}_index": found.index},
    )


def _rounds(
    rows: Mapping[str, NodeExecution], by_node: Mapping[str | None, Sequence[NodeExecution]]
) -> dict[str, _Round | None]:
    """The innermost round that each row ran in; None for those that ran in none, or inside themselves."""
    rounds = {key: _round(row, by_node) for key, row in rows.items()}
    containers = {key: found.container.stable_id if found else None for key, found in rounds.items()}
    placed = parents_first(containers)
    return {key: found if placed[key] == containers[key] else None for key, found in rounds.items()}


def _round(row: NodeExecution, by_node: Mapping[str | None, Sequence[NodeExecution]]) -> _Round | None:
    """`iteration_id` and `loop_id` name the container's graph node."""
    candidates = [
        _Round(container, kind, index or 0)
        for kind, container_id, index in _memberships(row)
        if (container := _container(row, kind, by_node.get(container_id, ()))) is not None
    ]
    for candidate in candidates:
        # Inside both a loop and an iteration: the inner one is the one whose own row is in the other.
        others = [other for other in candidates if other is not candidate]
        if all(_is_in(candidate.container, other.container) for other in others):
            return candidate
    return candidates[0] if candidates else None


def _memberships(row: NodeExecution) -> Iterator[tuple[_Kind, str, int | None]]:
    metadata = row.execution_metadata
    if metadata.loop_id:
        yield "loop", metadata.loop_id, metadata.loop_index
    if metadata.iteration_id:
        yield "iteration", metadata.iteration_id, metadata.iteration_index


def _is_in(row: NodeExecution, container: NodeExecution) -> bool:
    return any(container_id == container.node_id for _, container_id, _ in _memberships(row))


def _container(row: NodeExecution, kind: _Kind, executions: Sequence[NodeExecution]) -> NodeExecution | None:
    """The one of a container's executions that `row` belongs to.

    A container inside another runs once a round, each time as a row of its own: the one that ran in the same
    rounds as `row` and had begun by then.
    """
    found = [other for other in executions if other.stable_id != row.stable_id and other.status != "retry"]
    outer = {member for member in _memberships(row) if member[0] != kind}
    matching = [other for other in found if outer.issuperset(_memberships(other))] or found
    begun = [other for other in matching if _starts(other) <= _starts(row)]
    return max(begun, key=_starts) if begun else matching[0] if matching else None


def _attempts(
    rows: Mapping[str, NodeExecution],
    by_node: Mapping[str | None, Sequence[NodeExecution]],
    rounds: Mapping[str, _Round | None],
) -> dict[str, tuple[NodeExecution, int]]:
    """For each row with status `retry`: the row of the execution that it was an attempt of, and which attempt.

    They share graph node and round; where the node ran several times, the next one that began is meant.
    A retry row without such a row (the run was stopped) is no attempt, but a node.
    """
    of: dict[str, tuple[NodeExecution, int]] = {}
    counts: dict[str, int] = {}
    for row in sorted((row for row in rows.values() if row.status == "retry"), key=_order):
        finals = [
            other
            for other in (by_node[row.node_id] if row.node_id else ())
            if other.status != "retry" and _same_round(rounds[row.stable_id], rounds[other.stable_id])
        ]
        later = [other for other in finals if _order(other) >= _order(row)]
        final = min(later, key=_order) if later else max(finals, key=_order, default=None)
        if final is None:
            continue
        position = counts.setdefault(final.stable_id, 0)
        counts[final.stable_id] += 1
        of[row.stable_id] = final, position if row.retry_index is None else row.retry_index
    return of


def _same_round(one: _Round | None, other: _Round | None) -> bool:
    return (one.key if one else None) == (other.key if other else None)


def _starts(row: NodeExecution) -> int:
    return 0 if row.created_at is None else times.to_ns(row.created_at)


def _order(row: NodeExecution) -> tuple[int, int]:
    return _starts(row), row.index or 0
