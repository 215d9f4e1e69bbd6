"""`POST /traces` and `POST /traces/<trace_type>`: trace payloads to Langfuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from dify_plugin.core.runtime import Session
from werkzeug import Request, Response

from endpoints.answer import guarded, route_of
from endpoints.authenticate import authenticate
from endpoints.buffering import buffering
from endpoints.receipt import receipt
from endpoints.receive import apply_policy, deliver, map_items, read
from provider.delivery import DEADLINE_S
from provider.state import SHARED


class TracesEndpoint(Endpoint):
    """Authenticate, read, map, apply policy, deliver, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:
        return guarded(lambda: _handle(r, values, settings, self.session), r)


def _handle(request: Request, values: Mapping[str, Any], raw_settings: Mapping[str, Any], session: Session) -> Response:
    deadline = SHARED.monotonic() + DEADLINE_S
    settings = authenticate(request, raw_settings)
    received = read(request, values.get("trace_type"))
    mapped = map_items(received, settings, SHARED)
    kept = apply_policy(mapped, settings)
    fates = deliver(kept, settings, SHARED, deadline, buffering(session, settings, SHARED))
    return receipt(route_of(request), kept, fates, settings, SHARED)
