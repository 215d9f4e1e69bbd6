"""Sampling, withheld content, and observations that are too large."""

from dataclasses import replace
from typing import Any

import policy
from mapper.observation import Observation, Trace
from policy.fit import MAX_OBSERVATION_BYTES, fit
from policy.options import PolicyOptions
from policy.sampling import is_sampled
from provider.delivery import MAX_REQUEST_BYTES
from provider.encoding import encode
from provider.json_text import json_text

OBSERVATION = Observation(id="0" * 15 + "1", parent_id=None, type="span", name="n", start_time=1, end_time=2)


def trace(number: int = 1, **fields: Any) -> Trace:
    return Trace(id=f"{number:032x}", name="t", observations=(replace(OBSERVATION, **fields),))


def test_a_sample_takes_its_share() -> None:
    kept = sum(is_sampled(f"{number:032x}", 0.25) for number in range(10_000))
    assert 2_300 < kept < 2_700


def test_0_keeps_none_and_1_keeps_all() -> None:
    ids = [f"{number:032x}" for number in range(1_000)]
    assert not any(is_sampled(each, 0.0) for each in ids)
    assert all(is_sampled(each, 1.0) for each in ids)


def test_all_parts_of_a_trace_share_their_fate_but_errors_are_kept() -> None:
    options = PolicyOptions(sample_rate=0.5)
    for number in range(50):
        first, second = policy.apply(trace(number), options), policy.apply(trace(number, name="other"), options)
        assert (first is None) == (second is None)
        assert policy.apply(trace(number, level="ERROR"), options) is not None


def test_metadata_only_leaves_ids_kinds_and_sizes() -> None:
    metadata = {"node_id": "n1", "total_tokens": 5, "query": "C4NARY", "dify_extra": {"x": "C4NARY"},
                "execution_metadata": {"total_price": "0.1", "t": "C4NARY"}, "status": "C4NARY" * 99}  # fmt: skip
    result = policy.apply(
        trace(input={"q": "C4NARY"}, output="C4NARY", status_message="C4NARY", metadata=metadata, usage={"total": 5},
              model="gpt", cost={"total": 1.0}, level="ERROR"),
        PolicyOptions(content="metadata-only"),
    )  # fmt: skip
    assert result is not None
    assert "C4NARY" not in str(result)
    [left] = result.observations
    assert (left.usage, left.cost, left.model, left.level) == ({"total": 5}, {"total": 1.0}, "gpt", "ERROR")
    assert left.metadata == {
        "node_id": "n1",
        "total_tokens": 5,
        "execution_metadata": {"total_price": "0.1"},
        "content_bytes": {"input": 14, "output": 8},
    }


def test_what_fits_is_not_touched() -> None:
    whole = trace(input="x" * 3_000_000)
    assert fit(whole, PolicyOptions()) is whole


def test_the_largest_texts_are_cut_at_a_character_and_say_so() -> None:
    result = fit(trace(input={"small": "s" * 1_000, "big": "ä" * 3_000_000}, output="z" * 100), PolicyOptions())
    [left] = result.observations
    assert left.input["small"] == "s" * 1_000
    assert left.output == "z" * 100
    assert left.input["big"].endswith("... [truncated: 6000000 bytes]")
    assert set(left.input["big"].partition("...")[0]) == {"ä"}
    assert left.metadata["truncated"] == [{"path": "input.big", "bytes": 6_000_000}]
    assert len(json_text(left.input)) > MAX_OBSERVATION_BYTES // 4  # no more is cut than must be


def test_an_observation_of_any_shape_fits_into_a_request() -> None:
    shapes: list[Any] = [
        "x" * 9_000_000,
        "\n" * 9_000_000,
        '"\\' * 4_000_000,
        ["ab" * 10] * 300_000,
        list(range(1_000_000)),
        {"many": [{"k": "v" * 50}] * 100_000, "one": "y" * 5_000_000},
    ]
    for shape in shapes:
        fitted = fit(trace(input=shape, output=shape), PolicyOptions())
        assert len(encode([(fitted, fitted.observations)], "pk")) <= MAX_REQUEST_BYTES
        assert fitted.observations[0].metadata["truncated"]


def test_large_metadata_is_cut_too() -> None:
    fitted = fit(trace(metadata={"documents": ["d" * 100_000] * 60}), PolicyOptions())
    assert len(encode([(fitted, fitted.observations)], "pk")) <= MAX_REQUEST_BYTES
