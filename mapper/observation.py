"""The two types that everything after the mapper speaks: a trace, and the observations it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

ObservationType = Literal[
    "span", "generation", "agent", "tool", "chain", "retriever", "guardrail", "event", "embedding", "evaluator"
]
Level = Literal["DEBUG", "DEFAULT", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One step of a trace, complete: Langfuse merges nothing later.

    Ids are 16 lower-case hex digits, times integer nanoseconds since 1970 (UTC), usage whole tokens,
    cost USD. `input`, `output` and `metadata` are JSON values. `parent_id` None makes it the root.
    """

    id: str
    parent_id: str | None
    type: ObservationType
    name: str
    start_time: int
    end_time: int
    level: Level = "DEFAULT"
    status_message: str | None = None
    input: Any = None
    output: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    model_parameters: dict[str, Any] | None = None
    usage: dict[str, int] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    completion_start_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one payload says of a trace: trace-wide attributes, and some or all of its observations.

    Langfuse v4 has no trace object, so every observation goes out with these attributes. Several payloads
    of one turn give several `Trace` values with the same `id`; each keeps its own attributes, so that a
    payload gives the same bytes alone and in company. `id` is 32 lower-case hex digits. `warnings` are
    for the sender's receipt.
    """

    id: str
    name: str | None
    observations: tuple[Observation, ...]
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    version: str | None = None
    environment: str | None = None
    release: str | None = None
    warnings: tuple[str, ...] = ()
