"""The errors of this room. All are safe to show: they name a place, never a value.

PayloadError
|-- BodyError        the bytes cannot be read (not JSON, not gzip, not UTF-8, empty)
|   `-- BodyTooLarge the bytes are more than this endpoint takes
`-- NotATrace        JSON, but not a trace that Dify would send
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

_MAX_DETAILS = 20
_PROBLEMS = {
    "missing": "is missing",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "datetime_type": "must be an ISO 8601 time or unix seconds",
    "datetime_parsing": "must be an ISO 8601 time or unix seconds",
    "datetime_from_date_parsing": "must be an ISO 8601 time or unix seconds",
    "datetime_object_invalid": "must be an ISO 8601 time or unix seconds",
}


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


def details_of(error: ValidationError, prefix: Sequence[str] = ()) -> list[Detail]:
    """What pydantic found, as paths below `prefix` and problems in our own words, without any value."""
    details = []
    for entry in error.errors(include_url=False, include_input=False)[:_MAX_DETAILS]:
        path = ".".join(str(part) for part in (*prefix, *entry["loc"]))
        # Own words where pydantic's name Python types; its other messages hold limits and places, never the input.
        problem = _PROBLEMS.get(entry["type"]) or entry["msg"].replace("Input should be", "must be")
        details.append(Detail(path or "body", problem))
    return details
