"""Langfuse's legacy events, above all those of Dify's built-in tracing, as the same traces that its payloads give.

Dify's own ids decide, so that an event finds its place in any order and company. What Dify's tracing loses on
its way is found again where the event still tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mapper import generate_name, ids, times
from mapper.errors import MappingError
from mapper.ingestion.observation import ObservationEvent, observation_trace
from mapper.ingestion.root import root_trace
from mapper.observation import Observation, Trace
from mapper.options import MappingOptions
from payloads.errors import NotATrace
from payloads.ingestion import OBSERVATION_EVENTS, TRACE_EVENT, Event, ObservationBody, TraceBody, merged, parse_body

_ROOT = ":root"  # no id of an observation starts like this


@dataclass(frozen=True, slots=True)
class KnownTrace:
    """What later events of a trace need to know of its trace-create.

    `attributes`: the trace without observations; `root_start`: when its root began (ns), once that was written.
    """

    attributes: Trace
    root_start: int | None


class Memory(Protocol):
    """What is remembered of earlier requests of the same account. May forget anything at any time."""

    def trace(self, trace_id: str) -> KnownTrace | None:
        """The trace-create of a trace."""

    def remember_trace(self, trace_id: str, known: KnownTrace) -> None:
        """Keeps it for the events that follow."""

    def event(self, trace_id: str, name: str) -> Event | None:
        """An earlier event about the same thing, for an update to be merged into."""

    def remember_event(self, trace_id: str, name: str, event: Event) -> None:
        """Keeps it for updates."""


@dataclass(frozen=True, slots=True)
class Folded:
    """An event that is accepted without an observation of its own: another event says all that it says."""


type Outcome = Trace | Folded | MappingError | NotATrace


@dataclass(slots=True)
class _Unit:
    """Events about one thing, merged: a creation with its updates."""

    event: Event
    indexes: list[int] = field(default_factory=list)


def to_traces(events: Sequence[Event], memory: Memory, options: MappingOptions) -> list[Outcome]:
    """What becomes of each trace and observation event of a request, in order.

    Events about one thing are merged and share an outcome. Trace-creates are looked at first, wherever they stand.
    """
    outcomes: dict[int, Outcome] = {}
    units = _units(events, memory)
    roots = [unit for unit in units if unit.event.type == TRACE_EVENT]
    drafts = [_noted(unit.event, memory, options) for unit in roots]
    company: dict[str, list[Observation]] = {}
    for unit in units:
        if unit.event.type == TRACE_EVENT:
            continue
        outcome = _observation(unit.event, memory, options)
        outcomes |= dict.fromkeys(unit.indexes, outcome)
        if isinstance(outcome, Trace):
            company.setdefault(outcome.id, []).extend(outcome.observations)
    for unit, draft in zip(roots, drafts, strict=True):
        beside = company.get(draft.id) if isinstance(draft, Trace) else None
        root = _root(unit.event, options, beside) if beside else draft
        outcomes |= dict.fromkeys(unit.indexes, _settled(root, memory))
    return [outcomes[index] for index in range(len(events))]


def _units(events: Sequence[Event], memory: Memory) -> list[_Unit]:
    units: dict[tuple[str, str], _Unit] = {}
    for index, event in enumerate(events):
        is_trace = event.type == TRACE_EVENT
        name = _ROOT if is_trace else event.raw.get("id")
        key = event.raw.get("id" if is_trace else "traceId")
        if not isinstance(name, str) or not isinstance(key, str):  # nothing can refer to it
            units["", str(index)] = _Unit(event, [index])
            continue
        unit = units.get((key, name))
        before = memory.event(key, name) if unit is None else unit.event
        whole = event if before is None else _updated(before, event)
        indexes = [index] if unit is None else [*unit.indexes, index]
        units[key, name] = _Unit(whole, indexes)
        memory.remember_event(key, name, whole)
    return list(units.values())


def _updated(before: Event, event: Event) -> Event:
    """The earlier event with the later one's values. It stays what it was created as, when it was written first."""
    kind = event.type if before.type.endswith("-update") else before.type
    return before.model_copy(update={"type": kind, "raw": merged([before.raw, event.raw])})


def _noted(event: Event, memory: Memory, options: MappingOptions) -> Outcome:
    """A trace-create by itself; makes the trace's attributes known before its observations are looked at."""
    trace = _root(event, options)
    if isinstance(trace, Trace):
        before = memory.trace(trace.id)
        memory.remember_trace(
            trace.id, KnownTrace(replace(trace, observations=()), before.root_start if before else None)
        )
    return trace


def _settled(root: Outcome, memory: Memory) -> Outcome:
    """The root with the start that it was first written with: Langfuse would keep another start as another row."""
    known = memory.trace(root.id) if isinstance(root, Trace) else None
    if not isinstance(root, Trace) or known is None:
        return root
    observation = root.observations[0]
    if known.root_start is None:
        memory.remember_trace(root.id, replace(known, root_start=observation.start_time))
        return root
    end = max(known.root_start, observation.end_time)
    return replace(root, observations=(replace(observation, start_time=known.root_start, end_time=end),))


def _root(event: Event, options: MappingOptions, company: Sequence[Observation] = ()) -> Outcome:
    try:
        body = parse_body(TraceBody, event.raw)
    except NotATrace as error:
        return error
    if body.name == generate_name.NAME:
        return Folded()
    return root_trace(body, event.raw, _written(event, options), options, company)


def _observation(event: Event, memory: Memory, options: MappingOptions) -> Outcome:
    try:
        body = parse_body(ObservationBody, event.raw)
        made = ObservationEvent(OBSERVATION_EVENTS[event.type], body, event.raw, _written(event, options))
        known = memory.trace(ids.trace_id(body.trace_id or ""))
        return observation_trace(made, known.attributes if known else None, options)
    except (NotATrace, MappingError) as error:
        return error


def _written(event: Event, options: MappingOptions) -> int:
    return options.received_at if event.timestamp is None else times.to_ns(event.timestamp)
