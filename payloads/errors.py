"""The errors of this room. All are safe to show: they name a place, never a value.

PayloadError
|-- BodyError        the bytes cannot be read (not JSON, not gzip, not UTF-8, empty)
|   `-- BodyTooLarge the bytes are more than this endpoint takes
`-- NotATrace        JSON, but not a trace that Dify would send
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing to mend: `path` is dotted (`trace_info.start_time`), `problem` a sentence without values."""

    path: str
    problem: str


class PayloadError(Exception):
    """Something in the request is not as it must be.

    `code` is stable and machine-readable, `message` says what to do.
    """

    def __init__(self, code: str, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)


class BodyError(PayloadError):
    """The bytes cannot be read as JSON at all."""


class BodyTooLarge(BodyError):
    """The body, or what it inflates to, is over the limit, or was cut on its way."""


class NotATrace(PayloadError):
    """A JSON value that is not a trace payload of Dify's."""
