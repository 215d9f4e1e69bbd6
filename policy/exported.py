"""The policy for spans that others have encoded: any OpenTelemetry exporter's, passed through as they are.

The same wishes as for a `Trace`, on OTLP attributes: ids, times and everything else stay untouched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence

from langfuse import LangfuseOtelSpanAttributes as Name
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from policy.fit import MAX_OBSERVATION_BYTES, cut_texts, limit_of
from policy.masking import mask_text
from policy.options import Masking, PolicyOptions
from policy.sampling import is_sampled

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

_WITHOUT_CONTENT = re.compile(
    r"langfuse\.(?:environment|release|version|user\.id|session\.id|trace\.(?:name|tags|public))|user\.id|session\.id|"
    r"langfuse\.observation\.(?:type|level|model\.name|usage_details|cost_details|completion_start_time)|"
    r"langfuse\.internal\..*|gen_ai\.(?:usage\..*|system|operation\.name|(?:request|response)\.model)"
)
"""Attributes that hold kinds, ids, counts and times."""


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
        if options.content != "full":
            _withhold(span)
        _mask(span, options.masking)
        _label(span, options)
        _fit(span)


def is_kept(spans: Sequence[Span], options: PolicyOptions) -> bool:
    """Whether a trace is in the sample, by the spans of it that came together; those with an error always are."""
    return is_sampled(spans[0].trace_id.hex(), options.sample_rate) or any(_is_error(span) for span in spans)


def _is_error(span: Span) -> bool:
    levels = (a.value.string_value for a in span.attributes if a.key == Name.OBSERVATION_LEVEL)
    return "ERROR" in levels or span.status.code == span.status.STATUS_CODE_ERROR


def _withhold(span: Span) -> None:
    """Only what is known to hold no content stays."""
    kept_attributes = [attribute for attribute in span.attributes if _WITHOUT_CONTENT.fullmatch(attribute.key)]
    del span.attributes[:]
    span.attributes.extend(kept_attributes)
    del span.events[:]
    del span.links[:]
    if span.status.message:
        span.status.message = ""


def _mask(span: Span, masking: Masking) -> None:
    if masking == "off":
        return
    found: dict[tuple[str, str], None] = {}

    def masked(text: str, key: str) -> str:
        result, kinds = mask_text(text, masking, key)
        found.update({(key, kind): None for kind in kinds})
        return result

    span.name = masked(span.name, "")
    if span.status.message:  # an assignment would make a status where there was none
        span.status.message = masked(span.status.message, "")
    for attribute in (*span.attributes, *(inner for event in span.events for inner in event.attributes)):
        _mask_value(attribute.value, attribute.key, masked)
    if found:
        listed = [{"path": path, "kind": kind} for path, kind in found]
        _attribute(span, f"{Name.OBSERVATION_METADATA}.masked").value.string_value = json.dumps(listed)


def _mask_value(value: AnyValue, key: str, masked: Callable[[str, str], str]) -> None:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        value.string_value = masked(value.string_value, key)
    elif kind == "array_value":
        for item in value.array_value.values:
            _mask_value(item, key, masked)
    elif kind == "kvlist_value":
        for inner in value.kvlist_value.values:
            _mask_value(inner.value, inner.key, masked)


def _fit(span: Span) -> None:
    """Cuts the longest texts of a span that is too large for a request by itself."""
    excess = span.ByteSize() - MAX_OBSERVATION_BYTES
    if excess <= 0:
        return
    del span.events[:]  # Langfuse drops them
    texts = [attribute for attribute in span.attributes if attribute.value.HasField("string_value")]
    limit = limit_of(sorted((len(each.value.string_value.encode()) for each in texts), reverse=True), excess)
    cut: dict[str, int] = {}
    for attribute in texts:
        attribute.value.string_value = cut_texts(attribute.value.string_value, attribute.key, limit, cut)
    listed = [{"path": path, "bytes": original} for path, original in cut.items()]
    _attribute(span, f"{Name.OBSERVATION_METADATA}.truncated").value.string_value = json.dumps(listed)


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
