"""Traces to Langfuse, honestly: accepted means that Langfuse said so.

One gzipped protobuf POST for each trace (its payloads of one batch together), split only where it is too large.
Retries what may pass, inside one deadline; never what Langfuse refuses. Nothing is queued: when `deliver`
returns, Langfuse has everything.
Source of the answers' meanings: what a real Langfuse server was seen to do, and its route's source.
"""

from __future__ import annotations

import hashlib
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import gevent
import httpx
from pydantic_core import from_json
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from mapper.observation import Observation, Trace
from provider import PLUGIN_NAME, PLUGIN_VERSION
from provider.encoding import encode
from provider.errors import Refused, TooLarge, TryAgain
from provider.settings import Settings
from provider.state import State

DEADLINE_S = 20.0
"""For one request to the plugin, retries included: below the 30 s at which gateways give up."""

ATTEMPT_TIMEOUT_S = 10.0
MAX_REQUEST_BYTES = 4_000_000
"""Before compression. Langfuse Cloud's edge takes 5 MB; nobody says whether compressed."""

MAX_ANSWER_BYTES = 1_000_000

_PATH = "/api/public/otel/v1/traces"
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_backoff = wait_random_exponential(multiplier=0.25, max=5.0)

_REFUSALS = {
    401: ("wrong_keys", "Langfuse does not know these keys: check both, and that host is their region."),
    403: (
        "forbidden",
        "Langfuse accepts these keys but not for tracing: use a project's keys, and check its usage limit.",
    ),
    404: ("wrong_host", "There is no Langfuse at this host that takes OTLP: check host (self-hosted: 3.63 or newer)."),
    405: ("wrong_host", "There is no Langfuse at this host that takes OTLP: check host (self-hosted: 3.63 or newer)."),
}
_REDIRECTED = ("redirected", "The host redirects elsewhere: enter the address that it redirects to (https?).")
_NOT_LANGFUSE = ("wrong_host", "The host answers, but not as Langfuse does: check host.")
_REJECTED = ("rejected", "Langfuse rejected the trace.")


@dataclass(frozen=True, slots=True)
class Delivered:
    """`observations`: how many Langfuse now has; `duplicate`: it had them all before, nothing was sent."""

    observations: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """Observations of one payload, with the request body that they make. Bodies joined are a body too."""

    trace: Trace
    observations: Sequence[Observation]
    body: bytes


def deliver(traces: Sequence[Trace], settings: Settings, state: State, deadline: float) -> Delivered:
    """Has Langfuse accept `traces`, all with the same id, before `deadline` (of `state.monotonic`).

    Raises:
        Refused: for good; `TooLarge` where a single observation is.
        TryAgain: not now. Part of it may have been accepted: sending all of it again does no harm.
    """
    ordered = sorted(traces, key=lambda trace: trace.observations[0].parent_id is not None)  # the root's part first
    pieces: list[_Piece] = []
    digests: list[tuple[str, bytes]] = []
    for trace in ordered:
        whole = list(_pieces(trace, trace.observations, settings.public_key))
        digest = (settings.account, hashlib.sha256(b"".join(piece.body for piece in whole)).digest())
        if digest not in state.delivered and digest not in digests:
            pieces += whole
            digests.append(digest)
    for request in _requests(pieces):
        _send(request, settings, state, deadline)
    state.delivered.update(dict.fromkeys(digests))
    return Delivered(sum(len(trace.observations) for trace in traces), duplicate=not pieces)


def _pieces(trace: Trace, observations: Sequence[Observation], public_key: str) -> Iterator[_Piece]:
    body = encode([(trace, observations)], public_key)
    if len(body) <= MAX_REQUEST_BYTES or len(observations) == 1:
        yield _Piece(trace, observations, body)
        return
    for half in _halves(observations):
        yield from _pieces(trace, half, public_key)


def _requests(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces in order, as many to a request as fit."""
    request: list[_Piece] = []
    for piece in pieces:
        if request and sum(len(held.body) for held in request) + len(piece.body) > MAX_REQUEST_BYTES:
            yield request
            request = []
        request.append(piece)
    if request:
        yield request


def _send(pieces: Sequence[_Piece], settings: Settings, state: State, deadline: float) -> None:
    """Sends pieces in one request, or in smaller ones where the server finds it too large."""
    try:
        _post_with_retries(b"".join(piece.body for piece in pieces), settings, state, deadline)
    except TooLarge:
        smaller: Iterable[Sequence[_Piece]]
        first = pieces[0]
        if len(pieces) > 1:
            smaller = _halves(pieces)
        elif len(first.observations) > 1:
            smaller = (
                [_Piece(first.trace, half, encode([(first.trace, half)], settings.public_key))]
                for half in _halves(first.observations)
            )
        else:
            raise
        for part in smaller:
            _send(part, settings, state, deadline)


def _halves[T](items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]


def _post_with_retries(body: bytes, settings: Settings, state: State, deadline: float) -> None:
    # The bytes are made once: a retry after an unread answer must be the same to the last bit.
    compressed = zlib.compress(body, level=1, wbits=31)
    attempts = Retrying(
        retry=retry_if_exception_type(TryAgain),
        wait=_wait,
        stop=lambda call: state.monotonic() + call.upcoming_sleep >= deadline,
        sleep=state.sleep,
        reraise=True,
    )
    attempts(_post, compressed, settings, state, deadline)


def _wait(call: RetryCallState) -> float:
    error = call.outcome.exception() if call.outcome else None
    if isinstance(error, TryAgain) and error.retry_after is not None:
        return error.retry_after
    return _backoff(call)


def _post(compressed: bytes, settings: Settings, state: State, deadline: float) -> None:
    remaining = deadline - state.monotonic()
    if remaining <= 0:
        raise TryAgain("deadline", "Langfuse did not answer in time. Send it again.")
    limit = min(remaining, ATTEMPT_TIMEOUT_S)
    # httpx limits each read, not the exchange, and no name look-up: gevent's timer ends all of it.
    with gevent.Timeout(limit, TryAgain("timeout", "Langfuse did not answer in time. Send it again.")):
        try:
            status, headers, answer = _exchange(compressed, settings, state.http)
        except httpx.TransportError as error:
            raise _unreachable(error) from None
    _judge(status, headers, answer, state.wall)


def _exchange(compressed: bytes, settings: Settings, http: httpx.Client) -> tuple[int, httpx.Headers, bytes]:
    request = http.build_request(
        "POST",
        settings.host + _PATH,
        content=compressed,
        headers={
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "accept": "application/json",
            "x-langfuse-ingestion-version": "4",
            "x-langfuse-sdk-name": PLUGIN_NAME,
            "x-langfuse-sdk-version": PLUGIN_VERSION,
            "x-langfuse-public-key": settings.public_key,
        },
    )
    basic = httpx.BasicAuth(settings.public_key, settings.secret_key.get_secret_value())
    response = http.send(request, auth=basic, stream=True)
    try:
        answer = b""
        for chunk in response.iter_bytes():
            answer += chunk
            if len(answer) > MAX_ANSWER_BYTES:
                break
        return response.status_code, response.headers, answer
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


def _judge(status: int, headers: httpx.Headers, answer: bytes, wall: Callable[[], float]) -> None:
    """Returns where Langfuse accepted everything; raises what it meant otherwise."""
    if status in _TRY_AGAIN:
        raise TryAgain(
            "rate_limited" if status == httpx.codes.TOO_MANY_REQUESTS else "unavailable",
            f"Langfuse cannot take it now ({status}). Send it again.",
            status=429 if status == httpx.codes.TOO_MANY_REQUESTS else 503,
            retry_after=_retry_after(headers.get("retry-after"), wall),
        )
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise TooLarge("too_large", "One observation is larger than this Langfuse takes. Send less content with it.")
    if status in _REFUSALS:
        raise Refused(*_REFUSALS[status])
    if 300 <= status < 400:  # noqa: PLR2004 - all redirects
        raise Refused(*_REDIRECTED)
    if not httpx.codes.is_success(status):
        raise Refused("rejected", f"Langfuse rejected the trace ({status}).")
    try:
        parsed = from_json(answer)
    except ValueError:
        raise Refused(*_NOT_LANGFUSE) from None
    if _rejected_spans(parsed):
        raise Refused(*_REJECTED)


def _rejected_spans(answer: Any) -> bool:
    """Whether an OTLP answer tells of a partial success."""
    partial = answer.get("partialSuccess") if isinstance(answer, dict) else None
    return isinstance(partial, dict) and str(partial.get("rejectedSpans") or 0) != "0"


def _retry_after(value: str | None, wall: Callable[[], float]) -> float | None:
    """Seconds from now; the header holds seconds or a date."""
    if value is None:
        return None
    try:
        seconds = float(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - wall()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, seconds)
