"""`Trace` values as one OTLP export request, in the attributes that Langfuse's server reads.

Attribute names are the langfuse package's. Structures go as JSON text: Langfuse stores OTLP maps raw. Metadata
is one JSON object for each scope, the only form that every server version decodes alike.
Source: Langfuse's OtelIngestionProcessor; what a real server did with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langfuse import LangfuseOtelSpanAttributes as Name
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from mapper import times
from mapper.observation import Observation, Trace
from provider.json_text import json_text

SERVICE_NAME = "dify"
SCOPE_NAME = "langfuse-sdk"
"""Under any other scope Langfuse copies every attribute into metadata once more."""


def encode(parts: Iterable[tuple[Trace, Iterable[Observation]]], public_key: str) -> bytes:
    """One serialised export request with the given observations, each under its trace's attributes.

    The same arguments give the same bytes.
    """
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _text(resource_spans.resource.attributes.add(), "service.name", SERVICE_NAME)
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = SCOPE_NAME
    # Servers v3.59 to v3.135 discard the whole batch, after a 200, where this is not the authenticating key.
    _text(scope_spans.scope.attributes.add(), "public_key", public_key)
    for trace, observations in parts:
        _add_spans(scope_spans, trace, observations)
    return request.SerializeToString(deterministic=True)


def _add_spans(scope_spans: ScopeSpans, trace: Trace, observations: Iterable[Observation]) -> None:
    trace_wide = _trace_wide(trace).SerializeToString(deterministic=True)
    for observation in observations:
        span = scope_spans.spans.add()
        span.MergeFromString(trace_wide)
        _fill(span, observation)


def _trace_wide(trace: Trace) -> Span:
    """What all spans of a trace share: built once, merged into each."""
    span = Span(trace_id=bytes.fromhex(trace.id), kind=Span.SPAN_KIND_INTERNAL)
    texts = {
        Name.TRACE_NAME: trace.name,
        Name.TRACE_USER_ID: trace.user_id,
        Name.TRACE_SESSION_ID: trace.session_id,
        Name.ENVIRONMENT: trace.environment,
        Name.RELEASE: trace.release,
        Name.VERSION: trace.version,
        Name.TRACE_METADATA: _object(trace.metadata),
    }
    _add_texts(span, texts)
    if trace.tags:
        tags = span.attributes.add()
        tags.key = Name.TRACE_TAGS
        for tag in trace.tags:
            tags.value.array_value.values.add().string_value = tag
    return span


def _fill(span: Span, observation: Observation) -> None:
    span.span_id = bytes.fromhex(observation.id)
    if observation.parent_id is not None:
        span.parent_span_id = bytes.fromhex(observation.parent_id)
    span.name = observation.name
    span.start_time_unix_nano = observation.start_time
    span.end_time_unix_nano = observation.end_time
    texts = {
        Name.OBSERVATION_TYPE: observation.type,
        Name.OBSERVATION_LEVEL: observation.level,
        Name.OBSERVATION_STATUS_MESSAGE: observation.status_message,
        Name.OBSERVATION_INPUT: _content(observation.input),
        Name.OBSERVATION_OUTPUT: _content(observation.output),
        Name.OBSERVATION_METADATA: _object(observation.metadata),
        Name.OBSERVATION_MODEL: observation.model,
        Name.OBSERVATION_MODEL_PARAMETERS: _object(observation.model_parameters),
        Name.OBSERVATION_USAGE_DETAILS: _object(observation.usage),
        Name.OBSERVATION_COST_DETAILS: _object(observation.cost),
        Name.OBSERVATION_COMPLETION_START_TIME: _time(observation.completion_start_time),
    }
    _add_texts(span, texts)


def _add_texts(span: Span, texts: dict[str, str | None]) -> None:
    """The attributes that have a value; an absent field is absent in Langfuse, never empty."""
    for name, text in texts.items():
        if text:
            _text(span.attributes.add(), name, text)


def _content(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text(value)


def _object(value: dict[str, Any] | None) -> str | None:
    return json_text(value) if value else None


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else times.isoformat(time_ns)


def _text(attribute: Any, key: str, value: str) -> None:
    # In place: building KeyValue and AnyValue objects to copy them in costs three times as much.
    attribute.key = key
    attribute.value.string_value = value
