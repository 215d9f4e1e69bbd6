"""OTLP export requests as any OpenTelemetry exporter sends them: protobuf or JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from payloads.body import inflate, parse_json
from payloads.errors import BodyError, Detail, NotATrace

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def read_export(body: bytes, content_type: str, content_encoding: str = "") -> ExportTraceServiceRequest:
    """The export request in a body. Spans with malformed ids are in it: see `has_valid_ids`.

    Raises:
        BodyError: it is neither; gzip that is none; `BodyTooLarge`.
        NotATrace: JSON, but no export request.
    """
    raw = inflate(body, content_encoding)
    if JSON in content_type:
        return _from_json(parse_json(raw) if raw.strip() else {})
    if PROTOBUF not in content_type:
        raise BodyError(
            "unsupported_type",
            f"Send OTLP as {PROTOBUF} or {JSON}.",
            [Detail("Content-Type", f"must be {PROTOBUF} or {JSON}")],
        )
    try:
        return ExportTraceServiceRequest.FromString(raw)
    except DecodeError:
        raise BodyError("invalid_protobuf", "The body is not an OTLP export request. Send it again, whole.") from None


def has_valid_ids(span: Any) -> bool:
    """Whether a span's ids are of OTLP's sizes and not all zeros: else Langfuse rejects the whole request."""
    parent = span.parent_span_id
    return (
        len(span.trace_id) == _ID_BYTES["traceId"]
        and len(span.span_id) == _ID_BYTES["spanId"]
        and any(span.trace_id)
        and any(span.span_id)
        and len(parent) in {0, _ID_BYTES["parentSpanId"]}
    )


def _from_json(value: Any) -> ExportTraceServiceRequest:
    try:
        return ParseDict(_with_base64_ids(value), ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except (ParseError, TypeError, ValueError, AttributeError, RecursionError):
        problem = "is not an OTLP export request in JSON"
        raise NotATrace("not_an_export", f"The body {problem}.", [Detail("resourceSpans", problem)]) from None


def _with_base64_ids(value: Any) -> Any:
    """OTLP's JSON writes ids in hex, protobuf's reads bytes in base64. An id that is no hex becomes an empty one."""
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _bytes_of_id(item) if key in _ID_BYTES else _with_base64_ids(item) for key, item in value.items()}


def _bytes_of_id(value: Any) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (binascii.Error, TypeError, ValueError):
        return ""
