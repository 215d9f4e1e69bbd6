"""Langfuse's legacy ingestion events, as Dify's built-in tracing and the SDKs 2 to 4 post them.

Source: Langfuse's `/api/public/ingestion` (camelCase bodies); what langfuse 2.51.3, 3 and 4.18 were seen to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import AliasChoices, AliasGenerator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from payloads.body import JsonValue
from payloads.errors import Detail, NotATrace, details_of
from payloads.model import Lenient
from payloads.scalars import Amount, Count, JsonObject, Name, Text, Timestamp

_NOTHING = '"<not serializable object of type: NoneType>"'
"""What SDK 2.51 writes for a null inside an object, on some Pythons."""

TRACE_EVENT = "trace-create"
type ObservationKind = Literal[
    "span", "generation", "event", "agent", "tool", "chain", "retriever", "guardrail", "embedding", "evaluator"
]
OBSERVATION_EVENTS: dict[str, ObservationKind] = {
    f"{kind}-{verb}": kind for kind in get_args(ObservationKind.__value__) for verb in ("create", "update")
}
"""Event type to observation type."""


class _Body(Lenient):
    model_config = ConfigDict(alias_generator=AliasGenerator(validation_alias=to_camel), populate_by_name=True)


class TraceBody(_Body):
    """Body of `trace-create`."""

    id: Text = None
    timestamp: Timestamp = None
    name: Text = None
    user_id: Text = None
    session_id: Text = None
    input: Any = None
    output: Any = None
    metadata: Any = None
    tags: list[str] | None = None
    version: Text = None
    release: Text = None
    environment: Text = None


class LegacyUsage(_Body):
    """`usage`: counts of a `unit`, and costs in USD. Two spellings of the counts are about."""

    input: Count = Field(None, validation_alias=AliasChoices("input", "promptTokens"))
    output: Count = Field(None, validation_alias=AliasChoices("output", "completionTokens"))
    total: Count = Field(None, validation_alias=AliasChoices("total", "totalTokens"))
    unit: Text = None
    input_cost: Amount = None
    output_cost: Amount = None
    total_cost: Amount = None


class ObservationBody(_Body):
    """Body of `span-create`, `generation-create`, `event-create` and their updates."""

    id: Text = None
    trace_id: Text = None
    parent_observation_id: Text = None
    name: Text = None
    start_time: Timestamp = None
    end_time: Timestamp = None
    completion_start_time: Timestamp = None
    input: Any = None
    output: Any = None
    metadata: Any = None
    level: Text = None
    status_message: Text = None
    model: Text = None
    model_parameters: JsonObject = Field(default_factory=dict)
    usage: LegacyUsage | None = None
    usage_details: JsonObject = Field(default_factory=dict)
    cost_details: JsonObject = Field(default_factory=dict)
    version: Text = None
    environment: Text = None


class Event(Lenient):
    """One event of a batch. `raw` is its body as it was sent, with nulls for what SDK 2 writes instead."""

    id: Name
    type: Name
    timestamp: Timestamp = None
    raw: dict[str, Any] = Field(validation_alias="body")


def read_batch(body: JsonValue) -> list[JsonValue]:
    """The events of an ingestion request, unread.

    Raises:
        NotATrace: it is not `{"batch": [...]}`.
    """
    batch = body.get("batch") if isinstance(body, dict) else None
    if not isinstance(batch, list):
        detail = Detail("batch", "must be an array of events")
        raise NotATrace("not_a_batch", f"This is not an ingestion request: {detail.path} {detail.problem}.", [detail])
    return batch


def parse_event(item: JsonValue) -> Event:
    """One event.

    Raises:
        NotATrace: with the path of what is missing.
    """
    return _validated(Event, _without_holes(item), ())


def parse_body[T: _Body](model: type[T], raw: dict[str, Any]) -> T:
    """An event's body, or several of them merged.

    Raises:
        NotATrace: with the path of each field that is not as it must be.
    """
    return _validated(model, raw, ("body",))


def merged(bodies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A creation and its updates as one body: later values win, nulls change nothing, metadata is joined."""
    result: dict[str, Any] = {}
    for body in bodies:
        present = {name: value for name, value in body.items() if value is not None}
        before, after = result.get("metadata"), present.get("metadata")
        if isinstance(before, dict) and isinstance(after, dict):
            present["metadata"] = before | after
        result |= present
    return result


def _validated[T: Lenient](model: type[T], value: Any, prefix: tuple[str, ...]) -> T:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = details_of(error, prefix)
    message = "The event is not what Langfuse's clients send. Mend the fields in details."
    raise NotATrace("invalid_event", message, details)


def _without_holes(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return None if value == _NOTHING else value
    if isinstance(value, dict):
        return {key: _without_holes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_holes(item) for item in value]
    return value
