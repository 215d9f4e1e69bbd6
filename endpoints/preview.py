"""`POST /preview`: what `/traces` would write to Langfuse. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

from endpoints.answer import Problem, guarded, respond, respond_problem
from endpoints.authenticate import authenticate
from endpoints.receive import apply_policy, map_items, read
from mapper import times
from mapper.observation import Trace
from provider.state import SHARED


class PreviewEndpoint(Endpoint):
    """Authenticate, read, map, apply policy, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:
        return guarded(lambda: _handle(r, values, settings), r)


def _handle(request: Request, values: Mapping[str, Any], raw_settings: Mapping[str, Any]) -> Response:
    settings = authenticate(request, raw_settings)
    received = read(request, values.get("trace_type"))
    mapped = map_items(received, settings, SHARED)
    kept = apply_policy(mapped, settings)
    problems = [item for item in kept if isinstance(item, Problem)]
    if len(problems) == len(kept):
        return respond_problem(problems[0])
    traces = [_as_json(item) for item in kept if isinstance(item, Trace)]
    errors = [{"item": index, **item.as_json()} for index, item in enumerate(kept) if isinstance(item, Problem)]
    return respond(207 if errors else 200, {"traces": traces, "errors": errors})


def _as_json(trace: Trace) -> dict[str, Any]:
    written = asdict(trace)
    for observation in written["observations"]:
        for name in ("start_time", "end_time", "completion_start_time"):
            if observation[name] is not None:
                observation[name] = times.isoformat(observation[name])
    return written
