"""`GET /health`: whether the settings are good, which project they open, and the server's version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from dify_plugin.core.runtime import Session
from werkzeug import Request, Response

from endpoints.answer import Problem, guarded, log_problems, problem, respond, respond_problem, route_of
from endpoints.authenticate import authenticate
from endpoints.buffering import buffering
from provider import PLUGIN_VERSION, account
from provider.delivery import DEADLINE_S
from provider.errors import ProviderError
from provider.state import SHARED


class HealthEndpoint(Endpoint):
    """Authenticate, ask Langfuse, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: _handle(r, settings, self.session), r)


def _handle(request: Request, raw_settings: Mapping[str, Any], session: Session) -> Response:
    deadline = SHARED.monotonic() + DEADLINE_S
    try:
        settings = authenticate(request, raw_settings)
        opened = account.project(settings, SHARED)
        version = account.server_version(settings, SHARED)
    except ProviderError as error:
        return _unhealthy(problem(error), route_of(request))
    buffering(session, settings, SHARED).drain_beside(deadline)  # Langfuse is there: deliver what is stored
    warnings = []
    if account.is_too_old(version):
        warnings.append("This Langfuse is older than 3.63: update it, or observations will be incomplete.")
    return respond(
        200,
        {
            "status": "ok",
            "plugin_version": PLUGIN_VERSION,
            "project": {"id": opened.id, "name": opened.name},
            "langfuse": {"host": settings.host, "version": version},
            "warnings": warnings,
        },
    )


def _unhealthy(found: Problem, route: str) -> Response:
    """Health has one bad status, whatever the reason: 503."""
    log_problems([found], route)
    unavailable = Problem(503, found.code, found.message, found.retryable, found.details, found.retry_after)
    return respond_problem(unavailable, {"status": "unhealthy", "plugin_version": PLUGIN_VERSION})
