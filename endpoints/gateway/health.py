"""`GET /api/public/health`: the real server's answer, which Langfuse too gives to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

from endpoints.answer import guarded
from endpoints.gateway.answer import respond_as_langfuse
from endpoints.gateway.relay import relay
from provider.settings import parse_settings
from provider.state import SHARED


class LangfuseHealthEndpoint(Endpoint):
    """Ask Langfuse, answer as it does."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: relay("/api/public/health", parse_settings(settings), SHARED), r, respond_as_langfuse)
