from decimal import Decimal

from mapper.usage import Consumption, consumption, of_generation
from payloads.usage import LLMUsage, find_usage


def test_usage_and_prices_go_by_langfuses_keys() -> None:
    reported = LLMUsage(
        prompt_tokens=42,
        completion_tokens=9,
        total_tokens=51,
        prompt_price=Decimal("0.0000063"),
        completion_price=Decimal("0.0000054"),
        total_price=Decimal("0.0000117"),
        currency="USD",
    )
    found = consumption(reported)
    assert found.usage == {"input": 42, "output": 9, "total": 51}
    assert found.cost == {"input": 0.0000063, "output": 0.0000054, "total": 0.0000117}


def test_cached_and_reasoning_tokens_are_taken_out_of_input_and_output() -> None:
    reported = LLMUsage.model_validate(
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 30, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 20},
        }
    )
    assert consumption(reported).usage == {
        "input": 70,
        "input_cached_tokens": 30,
        "output": 30,
        "output_reasoning_tokens": 20,
        "total": 150,
    }


def test_details_that_exceed_their_side_change_nothing() -> None:
    reported = LLMUsage.model_validate({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 30}})
    assert consumption(reported).usage == {"input": 10, "total": 10}


def test_what_dify_accounted_for_wins_over_what_the_model_reported() -> None:
    reported = LLMUsage(prompt_tokens=1, completion_tokens=1, total_tokens=2, total_price=Decimal(1))
    found = consumption(reported, total_tokens=5, total_price=Decimal("0.25"))
    assert (found.usage["total"], found.cost) == (5, {"total": 0.25})


def test_parts_that_do_not_make_the_total_are_left_out() -> None:
    # Langfuse keeps a wrong total as it is; the total is what Dify billed.
    reported = LLMUsage(prompt_price=Decimal("0.1"), completion_price=Decimal("0.1"))
    assert consumption(reported, total_price=Decimal("0.5")).cost == {"total": 0.5}


def test_another_currency_goes_to_metadata_with_its_code() -> None:
    found = consumption(total_tokens=5, total_price=Decimal("0.25"), currency="CNY")
    assert (found.cost, found.metadata) == ({}, {"cost": {"total": 0.25, "currency": "CNY"}})
    assert consumption(total_price=Decimal("0.25"), currency="usd").cost == {"total": 0.25}


def test_a_known_model_without_usage_gets_explicit_zeros() -> None:
    found = of_generation(Consumption(), "gpt-4o")
    assert found.usage == {"input": 0, "output": 0, "total": 0}
    assert found.metadata == {"usage_reported": False}
    assert of_generation(Consumption(), None) == Consumption()


def test_a_users_own_key_named_usage_is_no_usage() -> None:
    assert find_usage("full", ["a"], {"hours": 3}, {"total_tokens": "many"}) is None
    assert find_usage({"total_tokens": "many"}, {"total_tokens": 3}) == LLMUsage(total_tokens=3)
