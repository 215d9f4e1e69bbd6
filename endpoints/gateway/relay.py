"""A question that only the real server can answer."""

from __future__ import annotations

from werkzeug import Response

from endpoints.answer import respond
from provider.delivery import judge, parsed
from provider.exchange import exchange
from provider.settings import Settings
from provider.state import State

_TIMEOUT_S = 8.0
_ANSWERS = (200, 401, 403, 503)


def relay(path: str, settings: Settings, state: State) -> Response:
    """Langfuse's own answer to a GET, status and body.

    Raises:
        Refused, TryAgain: the host does not answer, or not as Langfuse does.
    """
    answer = exchange("GET", path, settings, state, seconds=_TIMEOUT_S, headers={"accept": "application/json"})
    if answer.status not in _ANSWERS:
        judge(answer, state)
    return respond(answer.status, parsed(answer))
