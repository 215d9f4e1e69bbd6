"""OTLP to observations, by the rules that a real Langfuse 4.16.0 was seen to apply. What it drops, this drops.

Source: `langfuse-server-observed` (a server's answers and what its API read back).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TYPES = frozenset(
    (
        "span",
        "generation",
        "event",
        "agent",
        "tool",
        "chain",
        "retriever",
        "evaluator",
        "embedding",
        "guardrail",
    )
)
LEVELS = frozenset(("DEBUG", "DEFAULT", "WARNING", "ERROR"))
PRICED_MODELS = ("gpt-", "claude-", "o1", "o3", "gemini-")
"""Models of Langfuse's own price list: without usage, it counts tokens and makes up a cost."""

_OBSERVATION = "langfuse.observation."
_KNOWN = re.compile(r"langfuse\.|user\.id$|session\.id$")
_MAX_ENVIRONMENT = 40


class Rejected(Exception):
    """The server answers 400, and the whole export is lost."""


def observations(request: ExportTraceServiceRequest) -> Iterator[dict[str, Any]]:
    """The rows that a v4 server would store, as its v2 observations API reads them back."""
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = {
                "name": scope_spans.scope.name,
                "version": scope_spans.scope.version,
                "attributes": _attributes(scope_spans.scope.attributes),
            }
            for span in scope_spans.spans:
                if len(span.trace_id) != 16 or len(span.span_id) != 8:  # noqa: PLR2004 - OTLP's sizes
                    raise Rejected("Invalid traceId or spanId")
                yield _observation(span, resource, scope)


def _observation(span: Span, resource: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    found = _attributes(span.attributes)
    # Span events are dropped; times are cut to milliseconds; a missing end is the start.
    start_ms = span.start_time_unix_nano // 1_000_000
    end_ms = span.end_time_unix_nano // 1_000_000 or start_ms
    row: dict[str, Any] = {
        "id": span.span_id.hex(),
        "traceId": span.trace_id.hex(),
        "parentObservationId": span.parent_span_id.hex() or None,
        "name": span.name,
        "type": _type(found),
        "startTime": _iso(start_ms),
        "endTime": _iso(end_ms),
        "level": _level(found, span),
        "statusMessage": found.get(_OBSERVATION + "status_message") or span.status.message or None,
        "input": found.get(_OBSERVATION + "input"),
        "output": found.get(_OBSERVATION + "output"),
        "metadata": _metadata(found, resource, scope),
        "model": found.get(_OBSERVATION + "model.name"),
        "modelParameters": _json_object(found.get(_OBSERVATION + "model.parameters")),
        "usageDetails": _usage(found.get(_OBSERVATION + "usage_details")),
        "costDetails": _cost(found.get(_OBSERVATION + "cost_details")),
        "completionStartTime": _time(found.get(_OBSERVATION + "completion_start_time")),
        "environment": _environment(found.get("langfuse.environment") or resource.get("langfuse.environment")),
        "release": found.get("langfuse.release") or resource.get("langfuse.release"),
        "version": found.get("langfuse.version") or resource.get("service.version"),
        "userId": found.get("langfuse.user.id") or found.get("user.id"),
        "sessionId": found.get("langfuse.session.id") or found.get("session.id"),
        "tags": _tags(found.get("langfuse.trace.tags")),
        "traceName": found.get("langfuse.trace.name"),
        "usageInvented": False,
    }
    _invent(row)
    return row


def _attributes(attributes: Any) -> dict[str, Any]:
    return {attribute.key: _value(attribute.value) for attribute in attributes if isinstance(attribute, KeyValue)}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind in ("kvlist_value", "bytes_value", None):
        return None if kind is None else str(getattr(value, kind))  # stored raw
    return getattr(value, kind)


def _type(found: Mapping[str, Any]) -> str:
    named = found.get(_OBSERVATION + "type")
    if named in TYPES:
        return str(named)
    return "generation" if named is None and found.get(_OBSERVATION + "model.name") else "span"


def _level(found: Mapping[str, Any], span: Span) -> str:
    named = found.get(_OBSERVATION + "level")
    if named in LEVELS:
        return str(named)
    return "ERROR" if span.status.code == span.status.STATUS_CODE_ERROR else "DEFAULT"


def _metadata(found: Mapping[str, Any], resource: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Observation and trace metadata merged (v4: the trace's wins), nested objects as dotted keys."""
    merged: dict[str, Any] = {"resourceAttributes": dict(resource), "scope": dict(scope)}
    if not str(scope["name"]).startswith("langfuse-sdk"):
        merged["attributes"] = {name: value for name, value in found.items() if not _KNOWN.match(name)}
    for prefix in (_OBSERVATION + "metadata", "langfuse.trace.metadata"):
        merged |= _json_object(found.get(prefix)) or {}
        merged |= {name[len(prefix) + 1 :]: value for name, value in found.items() if name.startswith(prefix + ".")}
    return dict(_dotted("", merged))


def _dotted(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not prefix):
        for name, item in value.items():
            yield from _dotted(f"{prefix}.{name}" if prefix else str(name), item)
    else:
        yield prefix, _reparsed(value)


def _reparsed(value: Any) -> Any:
    """Strings are JSON-parsed when they are read: "1" comes back as 1, "007" stays."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _json_object(text: Any) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text, parse_constant=_no_constant) if isinstance(text, str) else None
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # JavaScript's JSON.parse knows no NaN


def _usage(text: Any) -> dict[str, int]:
    given = _json_object(text) or {}
    names = {"prompt_tokens": "input", "completion_tokens": "output", "total_tokens": "total"}
    usage = {
        names.get(key, key): value
        for key, value in given.items()
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0
    }
    if usage and "total" not in usage:
        usage["total"] = sum(usage.values())
    return usage


def _cost(text: Any) -> dict[str, float]:
    given = _json_object(text) or {}
    cost = {
        key: 0.0 if isinstance(value, str) else value
        for key, value in given.items()
        if isinstance(value, str) or (isinstance(value, int | float) and value >= 0)
    }
    if cost and "total" not in cost and set(cost) <= {"input", "output"}:
        cost["total"] = sum(cost.values())
    return cost


def _invent(row: dict[str, Any]) -> None:
    """A known model without usage: the server tokenises the text itself and bills it."""
    model = row["model"]
    if row["usageDetails"] or row["level"] == "ERROR" or not model or not str(model).startswith(PRICED_MODELS):
        return
    tokens = {"input": len(row["input"] or "") // 4, "output": len(row["output"] or "") // 4}
    row["usageDetails"] = {**tokens, "total": sum(tokens.values())}
    row["costDetails"] = row["costDetails"] or {"total": sum(tokens.values()) * 1e-6}
    row["usageInvented"] = True


def _environment(value: Any) -> str:
    text = re.sub(r"^langfuse[-_]", "", str(value or "default").lower())[:_MAX_ENVIRONMENT]
    return text if re.fullmatch(r"[a-z0-9_-]+", text) else "default"


def _tags(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(tag) for tag in value]
    return [tag.strip() for tag in value.split(",")] if isinstance(value, str) and value else []


def _time(value: Any) -> str | None:
    try:
        parsed = datetime.fromisoformat(str(value).strip('"'))
    except ValueError:
        return None
    return _iso(int(parsed.timestamp() * 1000))


def _iso(milliseconds: int) -> str:
    time = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
