"""Tokens and costs of a legacy event."""

from __future__ import annotations

from dataclasses import replace

from mapper.content import present
from mapper.usage import NOTHING, Consumption, consumption
from payloads.ingestion import LegacyUsage, ObservationBody
from payloads.usage import LLMUsage


def consumed_by(body: ObservationBody) -> Consumption:
    """What an event says was used. Characters (Dify counts some) are no tokens: they go to metadata."""
    usage = body.usage or LegacyUsage()
    counts = {
        name: count
        for name, count in body.usage_details.items()
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0
    }
    prices = {
        name: float(price)
        for name, price in body.cost_details.items()
        if isinstance(price, int | float) and not isinstance(price, bool) and price >= 0
    }
    in_tokens = usage.unit in (None, "TOKENS")
    reported = LLMUsage(prompt_price=usage.input_cost, completion_price=usage.output_cost)
    consumed = consumption(
        reported,
        input_tokens=usage.input if in_tokens else None,
        output_tokens=usage.output if in_tokens else None,
        total_tokens=usage.total if in_tokens else None,
        total_price=usage.total_cost,
    )
    if not in_tokens:
        counted = usage.model_dump(exclude_none=True, include={"input", "output", "total", "unit"})
        consumed = replace(consumed, metadata={"usage": counted})
    return (
        replace(consumed, usage=counts or consumed.usage, cost=prices or consumed.cost)
        if consumed or counts
        else NOTHING
    )


def tokens_of_node(usage: LegacyUsage | None) -> dict[str, int]:
    """A node's tokens; Dify writes zeros where the model reported none."""
    if usage is None or not (usage.input or usage.output or usage.total):
        return {}
    return present(prompt_tokens=usage.input, completion_tokens=usage.output, total_tokens=usage.total)
