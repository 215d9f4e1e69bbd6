"""`POST /api/public/otel/v1/traces`: OTLP of newer Dify versions and other exporters, passed on after policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dify_plugin import Endpoint
from dify_plugin.core.runtime import Session
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from werkzeug import Request, Response

from endpoints.answer import Problem, guarded
from endpoints.authenticate import authenticate
from endpoints.buffering import buffering
from endpoints.gateway.answer import respond_as_langfuse
from endpoints.receive import policy_options
from payloads.errors import Detail, NotATrace
from payloads.otlp import JSON, PROTOBUF, has_valid_ids, read_export
from policy.exported import apply_to_spans, is_kept
from policy.options import PolicyOptions
from provider.delivery import DEADLINE_S
from provider.errors import TryAgain
from provider.export import ExportedSpan, deliver_export, export_pieces, spans_of
from provider.state import SHARED

_SDK_HEADERS = ("x-langfuse-sdk-name", "x-langfuse-sdk-version")
_BAD_IDS = "span ids must be 8 bytes, trace ids 16, and neither all zeros"
_FINAL = {"rejected": 400}
"""OTLP exporters send again what was answered 502."""


class OtelEndpoint(Endpoint):
    """Authenticate, read, apply policy, deliver, answer."""

    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return guarded(lambda: _handle(r, settings, self.session), r, _respond_problem)


def _handle(request: Request, raw_settings: Mapping[str, Any], session: Session) -> Response:
    deadline = SHARED.monotonic() + DEADLINE_S
    settings = authenticate(request, raw_settings)
    content_type = request.content_type or ""
    export = read_export(request.get_data(), content_type, request.headers.get("Content-Encoding", ""))
    spans = spans_of(export)
    valid = [each for each in spans if has_valid_ids(each.span)]
    if spans and not valid:
        raise NotATrace("invalid_ids", f"No span can be taken: {_BAD_IDS}.", [Detail("spans", _BAD_IDS)])
    kept = _sampled(valid, policy_options(settings))
    apply_to_spans((each.span for each in kept), policy_options(settings))
    sender = {name: value for name in _SDK_HEADERS if (value := request.headers.get(name))}
    buffer = buffering(session, settings, SHARED)
    pieces = export_pieces(kept)
    try:
        deliver_export(pieces, settings, SHARED, buffer.deadline_of_delivery(deadline), sender)
    except TryAgain as reason:
        buffer.keep(pieces, kept[0].span.trace_id.hex(), reason, sender)
    else:
        buffer.drain_beside(deadline)
    return _respond(len(spans) - len(valid), content_type)


def _sampled(spans: Sequence[ExportedSpan], options: PolicyOptions) -> list[ExportedSpan]:
    """The spans of the traces that are in the sample."""
    traces: dict[bytes, list[ExportedSpan]] = {}
    for each in spans:
        traces.setdefault(each.span.trace_id, []).append(each)
    kept = {trace_id for trace_id, own in traces.items() if is_kept([each.span for each in own], options)}
    return [each for each in spans if each.span.trace_id in kept]


def _respond(rejected: int, content_type: str) -> Response:
    """An OTLP answer in the request's own form."""
    answer = ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = rejected
        answer.partial_success.error_message = _BAD_IDS
    if JSON in content_type:
        return Response(MessageToJson(answer, indent=None), content_type=JSON)
    return Response(answer.SerializeToString(), content_type=PROTOBUF)


def _respond_problem(found: Problem) -> Response:
    response = respond_as_langfuse(found)
    response.status_code = _FINAL.get(found.code, response.status_code)
    return response
