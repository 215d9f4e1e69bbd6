"""The steps of a handler: read, map, apply policy, deliver. Each takes and gives one entry for each item sent.

An item that failed a step stands in the list as its `Problem`, so that the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from werkzeug import Request

import mapper
import policy
from endpoints.answer import Problem, problem
from endpoints.buffering import Buffering
from mapper.observation import Trace
from mapper.options import MappingOptions
from payloads.body import read_items
from payloads.envelope import parse_payload
from payloads.trace_info import TraceInfo
from policy.options import PolicyOptions
from provider import delivery
from provider.delivery import Delivered
from provider.errors import TryAgain
from provider.settings import Settings
from provider.state import State

PARALLEL_DELIVERIES = 8
"""Traces of one batch under way at once: hides round trips without taking the whole pool of connections."""


def read(request: Request, trace_type: str | None) -> list[TraceInfo | Problem]:
    """The payloads in a request's body.

    Raises:
        BodyError: nothing in the body can be told apart.
    """
    values = read_items(request.get_data(), request.content_type or "", request.headers.get("Content-Encoding", ""))
    return each(lambda value: parse_payload(_raised(value), trace_type), values)


def map_items(items: Sequence[TraceInfo | Problem], settings: Settings, state: State) -> list[Trace | Problem]:
    """The traces of the payloads."""
    options = mapping_options(settings, state)
    return each(lambda payload: mapper.to_trace(payload, options), items)


def mapping_options(settings: Settings, state: State) -> MappingOptions:
    """What the mapper needs to know of the endpoint, and the time of arrival."""
    return MappingOptions(
        received_at=int(state.wall() * 1_000) * 1_000_000,  # Langfuse keeps milliseconds
        timezone=settings.timezone,
        names_with_id=settings.trace_names == "with-id",
    )


def policy_options(settings: Settings) -> PolicyOptions:
    """The owner's choices for every trace."""
    return PolicyOptions(
        environment=settings.environment,
        release=settings.release,
        tags=settings.tags,
        masking=settings.masking,
        content=settings.content,
        sample_rate=settings.sample_rate,
    )


def apply_policy(traces: Sequence[Trace | Problem | None], settings: Settings) -> list[Trace | Problem | None]:
    """The traces as the owner wants them to leave; None for those that are to stay."""
    options = policy_options(settings)
    return each(lambda trace: None if trace is None else policy.apply(trace, options), traces)


@dataclass(frozen=True, slots=True)
class Buffered:
    """Durably stored, to be delivered later: so many observations."""

    observations: int


type Fate = Delivered | Buffered | Problem | None
"""What became of an item: None where a policy kept it back."""


def deliver(
    traces: Sequence[Trace | Problem | None], settings: Settings, state: State, deadline: float, buffer: Buffering
) -> list[Fate]:
    """Has Langfuse accept the traces, or stores them; payloads that share a trace go up together.

    In the time that is left, what was stored earlier is delivered too.
    """
    groups: dict[str, list[int]] = {}
    for index, trace in enumerate(traces):
        if isinstance(trace, Trace):
            groups.setdefault(trace.id, []).append(index)

    def deliver_group(indexes: list[int]) -> list[tuple[int, Fate]]:
        group = [trace for index in indexes if isinstance(trace := traces[index], Trace)]
        try:
            done = delivery.deliver(group, settings, state, buffer.deadline_of_delivery(deadline))
        except TryAgain as reason:
            return list(zip(indexes, _kept(group, reason, buffer), strict=True))
        except Exception as error:
            return [(index, problem(error)) for index in indexes]
        return [
            (index, Delivered(len(trace.observations), done.duplicate))
            for index, trace in zip(indexes, group, strict=True)
        ]

    results: list[Fate] = [item if isinstance(item, Problem) else None for item in traces]
    with ThreadPoolExecutor(PARALLEL_DELIVERIES) as pool:
        in_turn = map if len(groups) == 1 else pool.map
        for outcomes in in_turn(deliver_group, groups.values()):
            for index, outcome in outcomes:
                results[index] = outcome
    if not any(isinstance(fate, Buffered) for fate in results):  # Langfuse is there: a good time for what is stored
        buffer.drain_beside(deadline)
    return results


def _kept(group: Sequence[Trace], reason: TryAgain, buffer: Buffering) -> list[Fate]:
    try:
        buffer.keep_traces(group, reason)
    except TryAgain as error:
        return [problem(error)] * len(group)
    return [Buffered(len(trace.observations)) for trace in group]


def each[T, R](step: Callable[[T], R], items: Sequence[T | Problem]) -> list[R | Problem]:
    """`step` for each item; one that fails becomes its `Problem`, and the others go on."""
    results: list[R | Problem] = []
    for item in items:
        if isinstance(item, Problem):
            results.append(item)
            continue
        try:
            results.append(step(item))
        except Exception as error:
            results.append(problem(error))
    return results


def _raised(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value
