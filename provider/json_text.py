"""JSON that every reader of Langfuse's can parse: no NaN, no number that a double would change."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

_MAX_SAFE = 2**53 - 1
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SUSPECT = b"0" * 16  # the shortest number above _MAX_SAFE has 16 digits


def json_text(value: Any) -> str:
    """`value` as compact JSON. NaN and infinities become strings, whole numbers beyond 2^53 too."""
    encoded = to_json(value, inf_nan_mode="strings")
    if _SUSPECT in encoded.translate(_DIGITS):
        encoded = to_json(_with_safe_numbers(value), inf_nan_mode="strings")
    return encoded.decode()


def _with_safe_numbers(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_SAFE:
        return str(value)
    if isinstance(value, dict):
        return {key: _with_safe_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_safe_numbers(item) for item in value]
    return value
