"""OTLP spans of other exporters, handed on to Langfuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from provider.delivery import OWN_NAME, Piece, accept, cut
from provider.settings import Settings
from provider.state import State


@dataclass(frozen=True, slots=True)
class ExportedSpan:
    """A span with the resource and the scope that it came under."""

    resource: ResourceSpans
    scope: ScopeSpans
    span: Span


def spans_of(request: ExportTraceServiceRequest) -> list[ExportedSpan]:
    """All spans of a request, in order."""
    return [
        ExportedSpan(resource, scope, span)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def export_pieces(spans: Sequence[ExportedSpan]) -> list[Piece[ExportedSpan]]:
    """What the spans are sent as."""
    return list(cut(spans, _encode)) if spans else []


def deliver_export(
    pieces: Sequence[Piece[ExportedSpan]], settings: Settings, state: State, deadline: float, sender: Mapping[str, str]
) -> None:
    """Has Langfuse accept the spans. `sender`: the exporter's own sdk headers, by which Langfuse reads its metadata.

    Raises:
        Refused, TryAgain: as for `provider.delivery.deliver`.
    """
    if pieces:
        accept([pieces], settings, state, deadline, {**OWN_NAME, **sender})


def _encode(spans: Sequence[ExportedSpan]) -> bytes:
    request = ExportTraceServiceRequest()
    before: ExportedSpan | None = None
    for each in spans:
        if before is None or each.resource is not before.resource:
            resource = request.resource_spans.add(resource=each.resource.resource, schema_url=each.resource.schema_url)
            before = None
        if before is None or each.scope is not before.scope:
            scope = resource.scope_spans.add(scope=each.scope.scope, schema_url=each.scope.schema_url)
        scope.spans.append(each.span)
        before = each
    return request.SerializeToString(deterministic=True)
