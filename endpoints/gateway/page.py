"""`GET /project/<path>`: Dify's "View" link, sent on to the page at the real server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dify_plugin import Endpoint
from werkzeug import Request, Response

from endpoints.answer import guarded
from endpoints.gateway.answer import respond_as_langfuse
from provider.settings import parse_settings


class PageEndpoint(Endpoint):
    """Redirect. A browser follows it without keys: Langfuse asks its user to sign in."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:
        return guarded(lambda: _redirect(r, values["page"], settings), r, respond_as_langfuse)


def _redirect(request: Request, page: str, raw_settings: Mapping[str, Any]) -> Response:
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    location = f"{parse_settings(raw_settings).host}/project/{quote(page)}{query}"
    return Response(status=307, headers={"Location": location})
