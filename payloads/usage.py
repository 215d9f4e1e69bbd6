"""Dify's LLMUsage, wherever a payload carries one."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from payloads.model import Lenient
from payloads.scalars import Amount, Count, JsonObject, Seconds, Text


class LLMUsage(Lenient):
    """Tokens, prices and latency of one or more model calls.

    Source: `LLMUsage` of Dify's model runtime; the `*_details` are what OpenAI-like providers add.
    """

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_price: Amount = None
    completion_price: Amount = None
    total_price: Amount = None
    currency: Text = None
    time_to_first_token: Seconds = None
    prompt_tokens_details: JsonObject = Field(default_factory=dict)
    completion_tokens_details: JsonObject = Field(default_factory=dict)


def find_usage(*candidates: Any) -> LLMUsage | None:
    """The first candidate that is a usage object with a token count or a price in it.

    Lenient on purpose: these objects sit inside node outputs, where a key named `usage` may as well
    be the user's own.
    """
    for candidate in candidates:
        if not isinstance(candidate, dict):
            continue
        try:
            usage = LLMUsage.model_validate(candidate)
        except ValidationError:
            continue
        counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
        prices = (usage.prompt_price, usage.completion_price, usage.total_price)
        if any(figure is not None for figure in (*counts, *prices)):
            return usage
    return None
