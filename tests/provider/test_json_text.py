import json
import math
from typing import Any

from provider.json_text import json_text


def test_numbers_that_javascript_would_break_become_strings() -> None:
    value = {"nan": math.nan, "inf": [-math.inf], "big": 2**53, "deep": [{"x": -(10**30)}]}
    assert json.loads(json_text(value)) == {
        "nan": "NaN", "inf": ["-Infinity"], "big": str(2**53), "deep": [{"x": str(-(10**30))}]
    }  # fmt: skip


def test_all_others_stay_as_they_are() -> None:
    value: dict[str, Any] = {
        "a": 2**53 - 1,
        "b": 0.1,
        "c": True,
        "d": None,
        "e": "12345678901234567890",
        "f": ["ü\u2028"],
        "g": {},
    }
    assert json.loads(json_text(value)) == value
    assert " " not in json_text({"a": [1, 2]})
