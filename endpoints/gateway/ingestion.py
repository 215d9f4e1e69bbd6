"""`POST /api/public/ingestion`: legacy events, written as Langfuse takes them today.

The answer is Langfuse's 207 with each event's fate, and says the truth: a success has been accepted upstream.
Where nothing was accepted because of Langfuse or the settings, the whole request is refused: then the SDK sends again,
and Dify, which does not look into a 207, logs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dify_plugin import Endpoint
from dify_plugin.core.runtime import Session
from werkzeug import Request, Response

from endpoints.answer import Problem, guarded, log_problems, problem, respond, route_of
from endpoints.authenticate import authenticate
from endpoints.buffering import buffering
from endpoints.gateway.answer import respond_as_langfuse
from endpoints.gateway.memory import AccountMemory
from endpoints.receive import Fate, apply_policy, deliver, each, mapping_options
from mapper.ingestion import Folded, to_traces
from mapper.observation import Trace
from payloads.body import read_items
from payloads.errors import Detail, NotATrace
from payloads.ingestion import OBSERVATION_EVENTS, TRACE_EVENT, Event, parse_event, read_batch
from provider.delivery import DEADLINE_S
from provider.scores import pass_on_score
from provider.settings import Settings
from provider.state import SHARED, State

_LOG, _SCORE = "sdk-log", "score-create"
_CREATED = 201
_UPSTREAM = (429, 502, 503)
"""Langfuse's fault, or the settings': nothing that another batch would change."""

type Kept = Trace | Problem | None


class IngestionEndpoint(Endpoint):
    """Authenticate, read, map, apply policy, deliver, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: _handle(r, settings, self.session), r, respond_as_langfuse)


def _handle(request: Request, raw_settings: Mapping[str, Any], session: Session) -> Response:
    deadline = SHARED.monotonic() + DEADLINE_S
    settings = authenticate(request, raw_settings)
    items, events = _read(request)
    mapped = _map(events, settings, SHARED)
    kept = apply_policy(mapped, settings)
    fates = deliver(kept, settings, SHARED, deadline, buffering(session, settings, SHARED))
    fates = _pass_on_scores(events, fates, settings, SHARED)
    return _answer(route_of(request), items, kept, fates)


def _read(request: Request) -> tuple[list[Any], list[Event | Problem]]:
    body = read_items(request.get_data(), "application/json", request.headers.get("Content-Encoding", ""))
    items = read_batch(body[0] if len(body) == 1 else body)
    return items, each(_known_event, items)


def _known_event(item: Any) -> Event:
    event = parse_event(item)
    if event.type not in OBSERVATION_EVENTS and event.type not in {TRACE_EVENT, _SCORE, _LOG}:
        detail = Detail("type", "is not an event type of Langfuse's ingestion")
        raise NotATrace("unknown_event", f"This event cannot be taken: its {detail.path} {detail.problem}.", [detail])
    return event


def _map(events: Sequence[Event | Problem], settings: Settings, state: State) -> list[Kept]:
    """The trace of each event; None for those that have none."""
    of_traces = [e for e in events if isinstance(e, Event) and e.type not in {_SCORE, _LOG}]
    outcomes = iter(to_traces(of_traces, AccountMemory(settings.account, state), mapping_options(settings, state)))
    mapped: list[Kept] = []
    for event in events:
        if isinstance(event, Problem):
            mapped.append(event)
            continue
        outcome = Folded() if event.type in {_SCORE, _LOG} else next(outcomes)
        if isinstance(outcome, Exception):
            mapped.append(problem(outcome))
        else:
            mapped.append(None if isinstance(outcome, Folded) else outcome)
    return mapped


def _pass_on_scores(
    events: Sequence[Event | Problem], fates: Sequence[Fate], settings: Settings, state: State
) -> list[Fate]:
    """Scores go to Langfuse as they are, but for the ids of what they score."""
    result = list(fates)
    for index, event in enumerate(events):
        if isinstance(event, Event) and event.type == _SCORE:
            try:
                pass_on_score(event.id, event.timestamp, event.raw, settings, state)
            except Exception as error:
                result[index] = problem(error)
    return result


def _answer(route: str, items: Sequence[Any], kept: Sequence[Kept], fates: Sequence[Fate]) -> Response:
    problems = [fate for fate in fates if isinstance(fate, Problem)]
    log_problems(problems, route)
    upstream = next((found for found in problems if found.status in _UPSTREAM), None)
    if upstream is not None and len(problems) == len(fates):
        return respond_as_langfuse(upstream)
    successes, errors = [], []
    for item, fate in zip(items, fates, strict=True):
        event_id = str(item["id"]) if isinstance(item, dict) and "id" in item else ""
        if isinstance(fate, Problem):
            errors.append({"id": event_id, "status": fate.status, "message": fate.message, "error": fate.as_json()})
        else:
            successes.append({"id": event_id, "status": _CREATED})
    warnings = list(dict.fromkeys(w for trace in kept if isinstance(trace, Trace) for w in trace.warnings))
    return respond(207, {"successes": successes, "errors": errors, "warnings": warnings})
