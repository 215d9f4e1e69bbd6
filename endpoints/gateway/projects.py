"""`GET /api/public/projects`: the real server's answer. Dify asks it to check the keys and to build its "View" link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

from endpoints.answer import guarded
from endpoints.authenticate import authenticate
from endpoints.gateway.answer import respond_as_langfuse
from endpoints.gateway.relay import relay
from provider.state import SHARED


class ProjectsEndpoint(Endpoint):
    """Authenticate, ask Langfuse, answer as it does."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: relay("/api/public/projects", authenticate(r, settings), SHARED), r, respond_as_langfuse)
