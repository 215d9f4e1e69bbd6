"""What the sender is told. One error table for all routes; no content and no credential in any answer or log line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dify_plugin.config.logger_format import plugin_logger_handler
from pydantic_core import to_json
from werkzeug import Request, Response

from endpoints.errors import Unauthorized
from mapper.errors import MappingError
from payloads.errors import BodyError, BodyTooLarge, Detail, PayloadError
from provider.errors import ProviderError, Refused, SettingsError, TooLarge, TryAgain

DEFAULT_RETRY_AFTER_S = 30
CHUNK_BYTES = 500_000
_REALM = 'Basic realm="Langfuse Tracing"'

logger = logging.getLogger("langfuse_tracing")
logger.setLevel(logging.INFO)
if plugin_logger_handler not in logger.handlers:
    logger.addHandler(plugin_logger_handler)

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (Unauthorized, 401),
    (BodyTooLarge, 413),
    (BodyError, 400),
    (PayloadError, 422),
    (MappingError, 422),
    (SettingsError, 422),
    (TooLarge, 413),
    (Refused, 502),
    (TryAgain, 503),
)
"""Most specific first. TryAgain brings its own status, 429 or 503."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the sender sees it."""

    status: int
    code: str
    message: str
    retryable: bool = False
    details: tuple[Detail, ...] = ()
    retry_after: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The `error` object of design section 5."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "details": [{"path": detail.path, "problem": detail.problem} for detail in self.details],
        }


def problem(error: Exception) -> Problem:
    """What to tell the sender about an error. One that is not ours keeps its text to itself, and is logged."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    match error:
        case Unauthorized():
            return Problem(
                status, "unauthorized", "Send the endpoint's public key and secret key with Basic, or its ingest token."
            )
        case SettingsError():
            details = tuple(Detail(f"settings.{name}", what) for name, what in error.fields)
            return Problem(status, error.code, error.message, details=details)
        case PayloadError():
            return Problem(status, error.code, error.message, details=error.details)
        case MappingError():
            message = f"The payload names no trace: {error.path} {error.problem}."
            return Problem(status, "not_a_trace", message, details=(Detail(f"trace_info.{error.path}", error.problem),))
        case TryAgain():
            return Problem(error.status, error.code, error.message, retryable=True, retry_after=error.retry_after)
        case ProviderError():
            return Problem(status, error.code, error.message)
    # Type and place only: an exception's text may hold content.
    logger.error("internal error: %s at %s", type(error).__name__, _place(error))
    return Problem(status, "internal_error", "The plugin failed on this payload. Please report its log line.")


def respond(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, streamed where it is long: Dify kills a plugin that writes a line of over 5 MiB (as hex)."""
    text = to_json(body)
    content: bytes | Iterator[bytes] = text
    if len(text) > CHUNK_BYTES:
        content = (text[start : start + CHUNK_BYTES] for start in range(0, len(text), CHUNK_BYTES))
    return Response(content, status, headers, content_type="application/json")


def respond_problem(found: Problem, more: Mapping[str, Any] | None = None) -> Response:
    """An error answer; `more` stands beside `error`."""
    headers = {}
    if found.status == 401:  # noqa: PLR2004 - HTTP
        headers["WWW-Authenticate"] = _REALM
    if found.status in (429, 503):
        seconds = DEFAULT_RETRY_AFTER_S if found.retry_after is None else found.retry_after
        headers["Retry-After"] = str(max(1, int(seconds + 0.999)))
    return respond(found.status, {"error": found.as_json(), **(more or {})}, headers)


def route_of(request: Request) -> str:
    """The route of a request for log lines: without the part of the path that the sender chose."""
    path = "/" + request.path.lstrip("/")
    return next((f"{prefix}<...>" for prefix in ("/traces/", "/project/") if path.startswith(prefix)), path)


def guarded(
    handle: Callable[[], Response], request: Request, respond_error: Callable[[Problem], Response] | None = None
) -> Response:
    """The answer of `handle`, or of the error that it raised.

    Nothing may escape: Dify's SDK shows an exception's text to the caller, and a ValueError as a 404.
    """
    try:
        return handle()
    except Exception as error:
        found = problem(error)
        log_problems([found], route_of(request))
        return (respond_error or respond_problem)(found)


def log_problems(problems: Sequence[Problem], route: str) -> None:
    """One line for each kind of problem, without content."""
    for code in dict.fromkeys(found.code for found in problems):
        same = [found for found in problems if found.code == code]
        paths = ", ".join(dict.fromkeys(detail.path for found in same for detail in found.details))
        logger.warning("%s: %s (%d) x%d%s", route, code, same[0].status, len(same), f" at {paths}" if paths else "")


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "unknown" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
