"""One HTTP exchange with Langfuse: bounded in time and size, over the shared pool, as the endpoint's project."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import gevent
import httpx

from provider.errors import Refused, TryAgain
from provider.settings import Settings
from provider.state import State

MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; a body beyond `MAX_ANSWER_BYTES` is cut."""

    status: int
    headers: httpx.Headers
    body: bytes


def exchange(
    method: str,
    path: str,
    settings: Settings,
    state: State,
    *,
    seconds: float,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Sends a request to `path` of the endpoint's host, and reads the answer, all within `seconds`.

    Raises:
        TryAgain: no answer, or not in time.
        Refused: the host cannot be talked to as it is set.
    """
    request = state.http.build_request(method, settings.host + path, content=content, headers=dict(headers or {}))
    # httpx limits each read, not the exchange, and no name look-up: gevent's timer ends all of it.
    with gevent.Timeout(seconds, TryAgain("timeout", "Langfuse did not answer in time. Send it again.")):
        try:
            return _exchange(request, settings, state.http)
        except httpx.TransportError as error:
            raise _unreachable(error) from None


def _exchange(request: httpx.Request, settings: Settings, http: httpx.Client) -> Answer:
    basic = httpx.BasicAuth(settings.public_key, settings.secret_key.get_secret_value())
    response = http.send(request, auth=basic, stream=True)
    try:
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
        return Answer(response.status_code, response.headers, body[:MAX_ANSWER_BYTES])
    finally:
        response.close()


def _unreachable(error: httpx.TransportError) -> Refused | TryAgain:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused("untrusted_host", "The host's TLS certificate is not trusted: check host.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError):
        return Refused("wrong_host", "The host cannot be reached this way: check host and the proxy.")
    return TryAgain("unreachable", "Langfuse could not be reached, or broke off. Send it again; check host.")
