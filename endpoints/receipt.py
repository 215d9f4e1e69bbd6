"""The answer of a delivery: what Langfuse accepted, item by item where not all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from werkzeug import Response

from endpoints.answer import Problem, log_problems, respond, respond_problem
from endpoints.receive import Buffered, Fate
from mapper.observation import Trace
from provider import account
from provider.delivery import Delivered
from provider.settings import Settings
from provider.state import State


def receipt(
    route: str,
    traces: Sequence[Trace | Problem | None],
    delivered: Sequence[Fate],
    settings: Settings,
    state: State,
) -> Response:
    """200 where everything was accepted, 202 where some of it was stored, 207 where part of it failed, else the error.

    A batch of which nothing was accepted gets no 2xx: a sender that looks at the status only must not drop it.
    """
    problems = [outcome for outcome in delivered if isinstance(outcome, Problem)]
    log_problems(problems, route)
    entries = [
        _entry(trace, outcome, settings, state)
        for trace, outcome in zip(traces, delivered, strict=True)
        if isinstance(trace, Trace) and isinstance(outcome, Delivered | Buffered)
    ]
    accepted = len(delivered) - len(problems)
    warnings = _warnings([trace for trace in traces if isinstance(trace, Trace)], entries)
    if not problems:
        status = 202 if any(isinstance(outcome, Buffered) for outcome in delivered) else 200
        return respond(status, {"accepted": accepted, "traces": _by_trace(entries), "warnings": warnings})
    if len(delivered) == 1:
        return respond_problem(problems[0])
    remaining = iter(entries)
    results = [_result(outcome, remaining) for outcome in delivered]
    if accepted:
        return respond(207, {"accepted": accepted, "results": results, "warnings": warnings})
    worst = next((found for found in problems if found.retryable), problems[0])
    return respond_problem(worst, {"accepted": 0, "results": results})


def _entry(trace: Trace, outcome: Delivered | Buffered, settings: Settings, state: State) -> dict[str, Any]:
    if isinstance(outcome, Buffered):  # Langfuse is away: no use in asking it for a link
        entry = {"trace_id": trace.id, "url": None, "observations": outcome.observations}
        return {**entry, "duplicate": False, "buffered": True}
    known = account.known_project(settings, state)
    return {
        "trace_id": trace.id,
        "url": account.trace_url(settings, known, trace.id) if known else None,
        "observations": outcome.observations,
        "duplicate": outcome.duplicate,
    }


def _result(outcome: Fate, entries: Any) -> dict[str, Any]:
    if isinstance(outcome, Problem):
        return {"status": outcome.status, "error": outcome.as_json()}
    if outcome is None:
        return {"status": 200, "dropped": True}
    return {"status": 202 if isinstance(outcome, Buffered) else 200, **next(entries)}


def _by_trace(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a trace: payloads of one trace went up together."""
    traces: dict[str, dict[str, Any]] = {}
    for entry in entries:
        seen = traces.setdefault(entry["trace_id"], {**entry, "observations": 0})
        seen["observations"] += entry["observations"]
    return list(traces.values())


def _warnings(traces: Sequence[Trace], entries: Sequence[dict[str, Any]]) -> list[str]:
    warnings = [warning for trace in traces for warning in trace.warnings]
    if any(entry["url"] is None and not entry.get("buffered") for entry in entries):
        warnings.append("Langfuse has the traces, but did not say which project they are in: there are no links.")
    return list(dict.fromkeys(warnings))
