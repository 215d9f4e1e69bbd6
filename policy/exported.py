"""The policy for spans that others have encoded: any OpenTelemetry exporter's, passed through as they are.

The same wishes as for a `Trace`, on OTLP attributes: ids, times and everything else stay untouched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from langfuse import LangfuseOtelSpanAttributes as Name
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from policy.options import PolicyOptions

_TRACE_PREFIX = "langfuse.trace."
_TRACE_WIDE = {
    Name.TRACE_USER_ID,
    Name.TRACE_SESSION_ID,
    "langfuse.user.id",
    "langfuse.session.id",
    Name.ENVIRONMENT,
    Name.RELEASE,
    Name.VERSION,
}
"""Beside everything under `langfuse.trace.`: what Langfuse v4 wants on every span of a trace."""


def apply_to_spans(spans: Iterable[Span], options: PolicyOptions) -> None:
    """Completes and labels the spans of one request, in place.

    A child takes the trace-wide attributes that it lacks from its root, where the root is in the same request.
    """
    spans = list(spans)
    roots = {span.trace_id: span for span in spans if not span.parent_span_id}
    for span in spans:
        root = roots.get(span.trace_id)
        if root is not None and root is not span:
            _fill(span, root)
    for span in spans:
        _label(span, options)


def _fill(span: Span, root: Span) -> None:
    own = {attribute.key for attribute in span.attributes}
    for attribute in root.attributes:
        is_trace_wide = attribute.key in _TRACE_WIDE or attribute.key.startswith(_TRACE_PREFIX)
        if is_trace_wide and attribute.key not in own:
            span.attributes.add().CopyFrom(attribute)


def _label(span: Span, options: PolicyOptions) -> None:
    if options.environment:
        _attribute(span, Name.ENVIRONMENT).value.string_value = options.environment
    if options.release:
        _attribute(span, Name.RELEASE).value.string_value = options.release
    if options.tags:
        attribute = _attribute(span, Name.TRACE_TAGS)
        tags = dict.fromkeys((*_tags(attribute), *options.tags))
        attribute.value.ClearField("value")
        for tag in tags:
            attribute.value.array_value.values.add().string_value = tag


def _attribute(span: Span, key: str) -> KeyValue:
    for attribute in span.attributes:
        if attribute.key == key:
            return attribute
    return span.attributes.add(key=key)


def _tags(attribute: KeyValue) -> list[str]:
    """An array of tags; Langfuse also takes a JSON array or commas in a string."""
    if attribute.value.HasField("array_value"):
        return [value.string_value for value in attribute.value.array_value.values]
    text = attribute.value.string_value
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = text.split(",")
    return [str(tag).strip() for tag in parsed if str(tag).strip()] if isinstance(parsed, list) else []
