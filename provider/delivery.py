"""Traces to Langfuse, honestly: accepted means that Langfuse said so.

One gzipped protobuf POST for each trace (its payloads of one batch together), split only where it is too large.
Retries what may pass, inside one deadline; never what Langfuse refuses. Nothing is queued: when `deliver`
returns, Langfuse has everything.
Source of the answers' meanings: what a real Langfuse server was seen to do, and its route's source.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic_core import from_json
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from mapper.observation import Observation, Trace
from provider import PLUGIN_NAME, PLUGIN_VERSION
from provider.encoding import encode
from provider.errors import Refused, TooLarge, TryAgain
from provider.exchange import Answer, exchange
from provider.settings import Settings
from provider.state import State

DEADLINE_S = 20.0
"""For one request to the plugin, retries included: below the 30 s at which gateways give up."""

ATTEMPT_TIMEOUT_S = 10.0
MAX_REQUEST_BYTES = 4_000_000
"""Before compression. Langfuse Cloud's edge takes 5 MB; nobody says whether compressed."""

OWN_NAME: Mapping[str, str] = {"x-langfuse-sdk-name": PLUGIN_NAME, "x-langfuse-sdk-version": PLUGIN_VERSION}

_PATH = "/api/public/otel/v1/traces"
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_backoff = wait_random_exponential(multiplier=0.25, max=5.0)

_NO_LANGFUSE = "There is no Langfuse at this host that takes OTLP: check host (self-hosted: 3.63 or newer)."
_REFUSALS = {
    401: ("wrong_keys", "Langfuse does not know these keys: check both, and that host is their region."),
    403: ("forbidden", "Langfuse accepts these keys, but not for tracing: use a project's, and check its usage limit."),
    404: ("wrong_host", _NO_LANGFUSE),
    405: ("wrong_host", _NO_LANGFUSE),
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
class Piece[T]:
    """Spans that go up together: `items`, the body that they make, and how parts of them are encoded.

    Bodies joined are a body too: OTLP requests are lists.
    """

    items: Sequence[T]
    body: bytes
    encoded: Callable[[Sequence[T]], bytes]


def deliver(traces: Sequence[Trace], settings: Settings, state: State, deadline: float) -> Delivered:
    """Has Langfuse accept `traces`, all with the same id, before `deadline` (of `state.monotonic`).

    Raises:
        Refused: for good; `TooLarge` where a single observation is.
        TryAgain: not now. Part of it may have been accepted: sending all of it again does no harm.
    """
    sent = accept(pieces_of(traces, settings), settings, state, deadline, OWN_NAME)
    return Delivered(sum(len(trace.observations) for trace in traces), duplicate=not sent)


def pieces_of(traces: Sequence[Trace], settings: Settings) -> list[list[Piece[Any]]]:
    """What the traces are sent as, the part with the root first."""
    ordered = sorted(traces, key=lambda trace: trace.observations[0].parent_id is not None)
    return [list(cut(trace.observations, _encoder(trace, settings))) for trace in ordered]


def redeliver(body: bytes, settings: Settings, state: State, deadline: float, sender: Mapping[str, str]) -> None:
    """Has Langfuse accept a body that was made earlier.

    Raises:
        Refused, TryAgain: as for `deliver`.
    """
    _post_with_retries(body, settings, state, deadline, {**OWN_NAME, **sender})


def accept(
    payloads: Iterable[Sequence[Piece[Any]]],
    settings: Settings,
    state: State,
    deadline: float,
    sender: Mapping[str, str],
) -> bool:
    """Has Langfuse accept the pieces of all payloads, as few requests as they fit into; `sender`: its sdk headers.

    What was accepted a while ago is not sent again. Returns whether anything had to be sent.

    Raises:
        Refused, TryAgain: as for `deliver`.
    """
    fresh: dict[tuple[str, bytes], Sequence[Piece[Any]]] = {}
    account = settings.account
    for pieces in payloads:
        digest = (account, hashlib.sha256(b"".join(piece.body for piece in pieces)).digest())
        if digest not in state.delivered:
            fresh[digest] = pieces
    for request in _requests(piece for pieces in fresh.values() for piece in pieces):
        _send(request, settings, state, deadline, sender)
    state.delivered.update(dict.fromkeys(fresh))
    return bool(fresh)


def cut[T](items: Sequence[T], encoded: Callable[[Sequence[T]], bytes]) -> Iterator[Piece[T]]:
    """The items in order, in pieces of `MAX_REQUEST_BYTES` at most, or of one item."""
    body = encoded(items)
    if len(body) <= MAX_REQUEST_BYTES or len(items) == 1:
        yield Piece(items, body, encoded)
        return
    for half in _halves(items):
        yield from cut(half, encoded)


def _encoder(trace: Trace, settings: Settings) -> Callable[[Sequence[Observation]], bytes]:
    return lambda observations: encode([(trace, observations)], settings.public_key)


def _requests(pieces: Iterable[Piece[Any]]) -> Iterator[list[Piece[Any]]]:
    """Pieces in order, as many to a request as fit."""
    request: list[Piece[Any]] = []
    size = 0
    for piece in pieces:
        if request and size + len(piece.body) > MAX_REQUEST_BYTES:
            yield request
            request, size = [], 0
        request.append(piece)
        size += len(piece.body)
    if request:
        yield request


def _send(
    pieces: Sequence[Piece[Any]], settings: Settings, state: State, deadline: float, sender: Mapping[str, str]
) -> None:
    """Sends pieces in one request, or in smaller ones where the server finds it too large."""
    try:
        _post_with_retries(b"".join(piece.body for piece in pieces), settings, state, deadline, sender)
    except TooLarge:
        smaller: list[Sequence[Piece[Any]]]
        if len(pieces) > 1:
            smaller = list(_halves(pieces))
        elif len(pieces[0].items) > 1:
            whole = pieces[0]
            smaller = [[Piece(half, whole.encoded(half), whole.encoded)] for half in _halves(whole.items)]
        else:
            raise
        for part in smaller:
            _send(part, settings, state, deadline, sender)


def _halves[T](items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]


def _post_with_retries(
    body: bytes, settings: Settings, state: State, deadline: float, sender: Mapping[str, str]
) -> None:
    # The bytes are made once: a retry after an unread answer must be the same to the last bit.
    compressed = zlib.compress(body, level=1, wbits=31)
    attempts = Retrying(
        retry=retry_if_exception_type(TryAgain),
        wait=_wait,
        stop=lambda call: state.monotonic() + call.upcoming_sleep >= deadline,
        sleep=state.sleep,
        reraise=True,
    )
    attempts(_post, compressed, settings, state, deadline, sender)


def _wait(call: RetryCallState) -> float:
    error = call.outcome.exception() if call.outcome else None
    if isinstance(error, TryAgain) and error.retry_after is not None:
        return error.retry_after
    return _backoff(call)


def _post(compressed: bytes, settings: Settings, state: State, deadline: float, sender: Mapping[str, str]) -> None:
    remaining = deadline - state.monotonic()
    if remaining <= 0:
        raise TryAgain("deadline", "Langfuse did not answer in time. Send it again.")
    headers = {
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
        "accept": "application/json",
        "x-langfuse-ingestion-version": "4",
        "x-langfuse-public-key": settings.public_key,
        **sender,
    }
    limit = min(remaining, ATTEMPT_TIMEOUT_S)
    answer = exchange("POST", _PATH, settings, state, seconds=limit, content=compressed, headers=headers)
    judge(answer, state)
    if _rejected_spans(parsed(answer)):
        raise Refused(*_REJECTED)


def judge(answer: Answer, state: State) -> None:
    """Returns where the status means that Langfuse took it; raises what it means otherwise.

    Raises:
        Refused, TryAgain: as for `deliver`.
    """
    status = answer.status
    if status in _TRY_AGAIN:
        raise TryAgain(
            "rate_limited" if status == httpx.codes.TOO_MANY_REQUESTS else "unavailable",
            f"Langfuse cannot take it now ({status}). Send it again.",
            status=429 if status == httpx.codes.TOO_MANY_REQUESTS else 503,
            retry_after=_retry_after(answer.headers.get("retry-after"), state.wall),
        )
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise TooLarge("too_large", "One observation is larger than this Langfuse takes. Send less content with it.")
    if status in _REFUSALS:
        raise Refused(*_REFUSALS[status])
    if httpx.codes.is_redirect(status):
        raise Refused(*_REDIRECTED)
    if not httpx.codes.is_success(status):
        raise Refused("rejected", f"Langfuse rejected the trace ({status}).")


def parsed(answer: Answer) -> Any:
    """The JSON in an answer.

    Raises:
        Refused: there is none, so it is not Langfuse that answered.
    """
    try:
        return from_json(answer.body)
    except ValueError:
        raise Refused(*_NOT_LANGFUSE) from None


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
