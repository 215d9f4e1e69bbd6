"""`GET /buffer`, `POST /buffer/drain`, `/buffer/replay`, `/buffer/drop`: what is stored, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dify_plugin import Endpoint
from dify_plugin.core.runtime import Session
from werkzeug import Request, Response

from endpoints.answer import Problem, guarded, respond, respond_problem
from endpoints.authenticate import authenticate
from endpoints.buffering import Buffering, buffering
from provider.buffer import StorageFailed
from provider.delivery import DEADLINE_S
from provider.state import SHARED

_STORAGE_FAILED = Problem(503, "storage_failed", "Dify's plugin storage does not answer. Ask again.", retryable=True)


class BufferEndpoint(Endpoint):
    """Authenticate, look or act, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: _handle(r, settings, self.session), r)


def _handle(request: Request, raw_settings: Mapping[str, Any], session: Session) -> Response:
    deadline = SHARED.monotonic() + DEADLINE_S
    settings = authenticate(request, raw_settings)
    action = _ACTIONS.get(request.path.rstrip("/").rpartition("/")[2], _status)
    try:
        return respond(200, action(buffering(session, settings, SHARED), deadline))
    except StorageFailed:
        return respond_problem(_STORAGE_FAILED)


def _status(of: Buffering, _deadline: float) -> dict[str, Any]:
    status = of.buffer.status()
    oldest = None if status.oldest is None else round(of.state.wall() - status.oldest, 1)
    return {
        "buffer": of.settings.buffer,
        "count": status.count,
        "bytes": status.bytes,
        "oldest_age_seconds": oldest,
        "last_error": status.last_reason,
        "dead_letters": [
            {"trace_id": item.trace_id, "observations": item.spans, "reason": item.reason} for _, item in status.dead
        ],
    }


def _drain(of: Buffering, deadline: float) -> dict[str, Any]:
    delivered = of.drain(deadline)
    return {"delivered": delivered, **_status(of, deadline)}


def _replay(of: Buffering, deadline: float) -> dict[str, Any]:
    replayed = of.buffer.replay()
    return {"replayed": replayed, **_status(of, deadline)}


def _drop(of: Buffering, deadline: float) -> dict[str, Any]:
    dropped = of.buffer.drop()
    return {"dropped": dropped, **_status(of, deadline)}


_ACTIONS: dict[str, Callable[[Buffering, float], dict[str, Any]]] = {
    "buffer": _status,
    "drain": _drain,
    "replay": _replay,
    "drop": _drop,
}
