"""A trace through OpenTelemetry's own OTLP/HTTP exporter, without Langfuse's SDK, in an environment of its own.

Reads `{"host", "authorization"}` from standard input; prints `{"trace_id", "child_id", "exported"}`.
"""

import json
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult, SpanProcessor

given = json.load(sys.stdin)
exporter: SpanExporter = OTLPSpanExporter(
    endpoint=given["host"] + "/api/public/otel/v1/traces",
    headers={"Authorization": given["authorization"]},
    compression=Compression.Gzip,
)


class Collector(SpanProcessor):
    """Keeps the ended spans, to export them in one request."""

    ended: list = []  # noqa: RUF012 - one process, one collector

    def on_end(self, span) -> None:  # noqa: ANN001, D102
        self.ended.append(span)


provider = TracerProvider(resource=Resource({"service.name": "shop"}))
provider.add_span_processor(Collector())
tracer = provider.get_tracer("shop.orders")
wide = {"session.id": "the-session", "langfuse.trace.name": "order", "langfuse.trace.tags": ["otel"]}
with (
    tracer.start_as_current_span("order", attributes={**wide, "user.id": "the-user"}) as root,
    tracer.start_as_current_span("pay", attributes={"amount": 7, "user.id": "somebody-else"}) as child,
):
    pass
result = exporter.export(Collector.ended)
sys.stdout.write(
    json.dumps(
        {
            "trace_id": f"{root.get_span_context().trace_id:032x}",
            "child_id": f"{child.get_span_context().span_id:016x}",
            "exported": result is SpanExportResult.SUCCESS,
        }
    )
    + "\n"
)
