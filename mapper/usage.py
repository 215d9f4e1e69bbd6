"""Tokens and money, so that the sum over a trace is what Dify billed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from payloads.usage import LLMUsage

_PRICE_TOLERANCE = Decimal("0.000001")
"""Dify rounds each price to seven places; further apart, the parts belong to another total."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """What an observation used: `usage` in whole tokens, `cost` in USD, `metadata` for what is neither."""

    usage: dict[str, int] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was used at all: zeros are nothing."""
        return any(self.usage.values()) or any(self.cost.values()) or bool(self.metadata)


NOTHING = Consumption()


def of_generation(consumed: Consumption, model: str | None) -> Consumption:
    """With explicit zeros where the model is known but no usage was reported: Langfuse would invent both."""
    if model is None or consumed.usage:
        return consumed
    zeros = {"input": 0, "output": 0, "total": 0}
    return replace(consumed, usage=zeros, metadata=consumed.metadata | {"usage_reported": False})


def consumption(
    reported: LLMUsage | None = None,
    *,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    total_tokens: int | None = None,
    total_price: Decimal | None = None,
    currency: str | None = None,
) -> Consumption:
    """Usage and cost from what the model reported and what Dify accounted for; Dify's own figures win.

    Prices in another currency than USD (Langfuse's only one) go to metadata with their code.
    """
    reported = reported or LLMUsage()
    tokens_in = _first(input_tokens, reported.prompt_tokens)
    tokens_out = _first(output_tokens, reported.completion_tokens)
    total = _first(total_tokens, reported.total_tokens)
    if total is None and (tokens_in is not None or tokens_out is not None):
        total = (tokens_in or 0) + (tokens_out or 0)
    usage: dict[str, int] = {}
    if tokens_in is not None:
        usage |= _net("input", tokens_in, reported.prompt_tokens_details)
    if tokens_out is not None:
        usage |= _net("output", tokens_out, reported.completion_tokens_details)
    if total is not None:
        usage["total"] = total
    prices = _prices(reported, _first(total_price, reported.total_price))
    code = currency or reported.currency or "USD"
    if not prices or code.upper() == "USD":
        return Consumption(usage, prices)
    return Consumption(usage, {}, {"cost": {**prices, "currency": code}})


def _first[T](*candidates: T | None) -> T | None:
    return next((candidate for candidate in candidates if candidate is not None), None)


def _net(side: str, tokens: int, details: dict[str, Any]) -> dict[str, int]:
    """`cached_tokens: 30` of 100 input tokens becomes `input_cached_tokens: 30`, `input: 70`.

    Langfuse's own rule for OpenAI usage; the keys of one side always add up to its tokens.
    """
    parts: dict[str, int] = {}
    rest = tokens
    for name, count in details.items():
        if isinstance(count, int) and not isinstance(count, bool) and 0 < count <= rest:
            parts[f"{side}_{name}"] = count
            rest -= count
    return {side: rest} | parts


def _prices(reported: LLMUsage, total: Decimal | None) -> dict[str, float]:
    price_in, price_out = reported.prompt_price, reported.completion_price
    if price_in is None or price_out is None:
        return {} if total is None else {"total": float(total)}
    if total is None:
        total = price_in + price_out
    if abs(price_in + price_out - total) > _PRICE_TOLERANCE:
        return {"total": float(total)}
    return {"input": float(price_in), "output": float(price_out), "total": float(total)}
