"""Scalar types of Dify's payloads: as lenient as Dify is inconsistent, no more.

Dify writes "no value" as null, as "" or by leaving the key out; Decimals as strings; times naive,
with and without a fraction, or (console API) as unix seconds.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_DURATION_S = 10 * 365 * 86_400.0
"""Ten years. Longer than any run, short enough that start + duration stays a valid time."""

_FIRST_YEAR, _LAST_YEAR = 1971, 2499

MAX_COUNT = 2**53 - 1
"""The largest whole number that survives Langfuse's JSON (a double)."""


def empty_to_none(value: Any) -> Any:
    """Dify's classic payloads write "" where newer ones write null."""
    return None if value == "" else value


def _whole_number(value: Any) -> int | None:
    match value:
        case None | "":
            return None
        case bool():
            pass
        case int() if 0 <= value <= MAX_COUNT:
            return value
        case float() if value.is_integer() and 0 <= value <= MAX_COUNT:
            return int(value)
        case str() if value.isascii() and value.isdigit() and len(value) < len(str(MAX_COUNT)):
            return int(value)
    raise PydanticCustomError("whole_number", "must be a whole number, 0 or more")


def _number(value: Any) -> Decimal | None:
    """A finite number of 0 or more; None for anything else."""
    if not isinstance(value, int | float | str | Decimal) or isinstance(value, bool):
        return None
    try:
        # Through str: Decimal(0.1) would carry the float's binary noise into a price.
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and 0 <= number <= MAX_COUNT else None


def _amount(value: Any) -> Decimal | None:
    amount = _number(value)
    if amount is None and value is not None and value != "":
        raise PydanticCustomError("amount", "must be a price: a number, or a number in a string, 0 or more")
    return amount


def _duration(value: Any) -> float | None:
    duration = _number(value)
    if (duration is None and value is not None and value != "") or (duration or 0) > MAX_DURATION_S:
        raise PydanticCustomError("duration", "must be a number of seconds, 0 or more, ten years at most")
    return None if duration is None else float(duration)


def _plausible(value: datetime | None) -> datetime | None:
    # OTLP times are unsigned nanoseconds since 1970; the far end keeps start + duration in range too.
    if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise PydanticCustomError("time_range", "must be a time between 1971 and 2499")
    return value


Text = Annotated[str | None, BeforeValidator(empty_to_none)]
"""A string, an id or a name; "" is the same as none."""

Name = Annotated[str, Field(min_length=1)]
"""A string that must be there."""

Timestamp = Annotated[datetime | None, BeforeValidator(empty_to_none), AfterValidator(_plausible)]
"""ISO 8601 (naive or with a zone) or unix seconds. Naive ones stay naive: the mapper knows the zone."""

Count = Annotated[int | None, BeforeValidator(_whole_number)]
"""Tokens, indexes. Accepts 12, 12.0 and "12"."""

Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
"""Money. Accepts 0.0123 and "0.0123"."""

Seconds = Annotated[float | None, BeforeValidator(_duration)]
"""A duration."""

JsonObject = Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value in (None, "") else value)]
"""An object; null and "" are empty ones."""
