"""`POST /api/public/otel/v1/traces`: what exporters send passes through, completed and labelled."""

import gzip
import json
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from demo.clients import python_of, run
from demo.plugin_daemon import Front, Reply
from tests.conftest import find
from tests.gateway.conftest import Gateway

OTEL = "/api/public/otel/v1/traces"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def request(*spans: dict[str, Any], scope: str = "shop") -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    resource = made.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource.scope_spans.add()
    scope_spans.scope.name = scope
    for number, given in enumerate(spans):
        span = scope_spans.spans.add(
            trace_id=bytes.fromhex(given.get("trace_id", TRACE_ID)),
            span_id=bytes.fromhex(given.get("id", f"{number + 1:016x}")),
            parent_span_id=bytes.fromhex(given.get("parent", "")),
            name=given.get("name", f"n{number}"),
            start_time_unix_nano=1_767_323_045_678_901_234,
            end_time_unix_nano=1_767_323_046_000_000_000,
        )
        for key, value in given.get("attributes", {}).items():
            attribute = span.attributes.add(key=key)
            if isinstance(value, list):
                for item in value:
                    attribute.value.array_value.values.add().string_value = item
            else:
                attribute.value.string_value = value
    return made


def post(gateway: Gateway, export: ExportTraceServiceRequest, **settings: Any) -> Reply:
    return gateway.post(OTEL, body=export.SerializeToString(), headers=PROTOBUF, settings=gateway.settings(**settings))


def test_langfuse_5_writes_through_the_plugin(gateway: Gateway, front: Front) -> None:
    given = {
        "host": front.url, "public_key": "pk-lf-demo", "secret_key": "sk-lf-demo", "session": "the-session", "user": "u"
    }  # fmt: skip
    done = run(python_of("langfuse-5"), "sdk5.py", given)
    assert done["auth"] is True
    rows = gateway.langfuse.observations(done["trace_id"])
    root, call = find(rows, "answer"), find(rows, "call")
    assert (root["type"], call["type"], call["parentObservationId"]) == ("agent", "generation", root["id"])
    assert (call["sessionId"], call["userId"], call["tags"]) == ("the-session", "u", ["sdk5"])
    assert (call["usageDetails"]["total"], call["costDetails"]["total"]) == (7, 0.5)
    assert json.loads(root["input"]) == {"question": "q"}
    # The server reads metadata by the SDK's own name and version: they are passed on.
    sent = next(r for r in gateway.langfuse.requests() if r["path"] == OTEL)
    assert sent["headers"]["x-langfuse-sdk-name"] == "python"
    assert sent["headers"]["x-langfuse-sdk-version"].startswith("5.")


def test_the_plain_exporter_writes_through_the_plugin(gateway: Gateway, front: Front) -> None:
    given = {"host": front.url, "authorization": gateway.authorization["Authorization"]}
    done = run(python_of("opentelemetry"), "exporter.py", given)
    assert done["exported"] is True
    rows = gateway.langfuse.observations(done["trace_id"])
    order, pay = find(rows, "order"), find(rows, "pay")
    assert (pay["id"], pay["parentObservationId"]) == (done["child_id"], order["id"])
    # Filled from the root where missing; what the child says itself stays.
    assert (pay["sessionId"], pay["traceName"], pay["tags"]) == ("the-session", "order", ["otel"])
    assert (order["userId"], pay["userId"]) == ("the-user", "somebody-else")
    assert pay["metadata"]["attributes.amount"] == 7
    sent = next(r for r in gateway.langfuse.requests() if r["path"] == OTEL)
    assert sent["headers"]["x-langfuse-sdk-name"] == "dify-langfuse-tracing"


def test_the_endpoints_labels_are_applied(gateway: Gateway) -> None:
    spans: list[dict[str, Any]] = [
        {"name": "array", "attributes": {"langfuse.trace.tags": ["own"], "langfuse.environment": "theirs"}},
        {"name": "text", "parent": "00000000000000ff", "attributes": {"langfuse.trace.tags": '["own"]'}},
        {"name": "none", "trace_id": "f" * 32},
    ]
    assert post(gateway, request(*spans), environment="ours", release="7", tags="added").status == 200
    rows = gateway.langfuse.all_observations()
    assert {row["name"]: row["tags"] for row in rows} == {
        "array": ["own", "added"], "text": ["own", "added"], "none": ["added"]
    }  # fmt: skip
    assert {(row["environment"], row["release"]) for row in rows} == {("ours", "7")}


def test_ids_times_and_structure_stay_untouched(gateway: Gateway) -> None:
    export = request({}, {"parent": f"{1:016x}"}, scope="langfuse-sdk")
    post(gateway, export, release="")
    import base64
    import zlib

    sent = next(r for r in gateway.langfuse.requests() if r["path"] == OTEL)
    arrived = ExportTraceServiceRequest.FromString(zlib.decompress(base64.b64decode(sent["body"]), wbits=31))
    assert arrived == export


def test_json_with_hex_ids_is_taken(gateway: Gateway) -> None:
    body = MessageToDict(request({"name": "root"}, {"name": "child", "parent": f"{1:016x}"}))
    for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        span["traceId"] = TRACE_ID
        span["spanId"] = "00000000000000aa" if span["name"] == "root" else "00000000000000bb"
        if "parentSpanId" in span:
            span["parentSpanId"] = "00000000000000AA"
        span["kind"] = 1
    reply = gateway.post(OTEL, body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert (reply.status, reply.headers["Content-Type"], reply.json()) == (200, "application/json", {})
    rows = gateway.langfuse.observations(TRACE_ID)
    assert find(rows, "child")["parentObservationId"] == find(rows, "root")["id"] == "00000000000000aa"


def test_spans_with_malformed_ids_are_refused_and_the_others_arrive(gateway: Gateway) -> None:
    bad = [{"name": "short", "id": "aa"}, {"name": "none", "id": ""}, {"name": "zeros", "trace_id": "0" * 32}]
    reply = post(gateway, request({"name": "good"}, *bad))
    assert reply.status == 200
    partial = ExportTraceServiceResponse.FromString(reply.body).partial_success
    assert partial.rejected_spans == 3
    assert "8 bytes" in partial.error_message
    assert [row["name"] for row in gateway.langfuse.all_observations()] == ["good"]


def test_json_ids_that_are_no_hex_are_refused_and_the_others_arrive(gateway: Gateway) -> None:
    spans: list[dict[str, Any]] = [
        {"traceId": TRACE_ID, "spanId": "00000000000000aa", "name": "good", "startTimeUnixNano": "1767323045000000000"},
        {"traceId": "no hex", "spanId": "00000000000000aa", "name": "bad"},
        {"traceId": TRACE_ID, "spanId": 7, "name": "bad"},
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    reply = gateway.post(OTEL, body)
    assert reply.json()["partialSuccess"]["rejectedSpans"] == "2"
    assert [row["name"] for row in gateway.langfuse.all_observations()] == ["good"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"\xff\xffC4NARY", PROTOBUF, 400, "invalid_protobuf"),
        (b"C4NARY", {"Content-Type": "application/json"}, 400, "invalid_json"),
        (b'{"resourceSpans": "C4NARY"}', {"Content-Type": "application/json"}, 422, "not_an_export"),
        (b"[1]", {"Content-Type": "application/json"}, 422, "not_an_export"),
        (b"C4NARY", {"Content-Type": "text/plain"}, 400, "unsupported_type"),
        (gzip.compress(b"x" * 100)[:-5], {**PROTOBUF, "Content-Encoding": "gzip"}, 400, "invalid_gzip"),
        (request({"id": ""}).SerializeToString(), PROTOBUF, 422, "invalid_ids"),
    ],
)
def test_bad_bodies_get_a_clear_answer(
    gateway: Gateway, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    reply = gateway.post(OTEL, body=body, headers=headers)
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    assert b"C4NARY" not in reply.body
    assert gateway.langfuse.all_observations() == []


@pytest.mark.parametrize("body", [b"", b"0\r\n\r\n"])
def test_an_empty_export_is_a_credentials_check(gateway: Gateway, body: bytes) -> None:
    assert gateway.post(OTEL, body=body, headers=PROTOBUF).status == 200
    assert gateway.post(OTEL, body=body, headers={"Content-Type": "application/json"}).status == 200


def test_gzip_is_taken(gateway: Gateway) -> None:
    body = gzip.compress(request({"name": "good"}).SerializeToString())
    assert gateway.post(OTEL, body=body, headers={**PROTOBUF, "Content-Encoding": "gzip"}).status == 200
    assert [row["name"] for row in gateway.langfuse.all_observations()] == ["good"]


def test_an_exporter_is_told_what_langfuse_says(gateway: Gateway) -> None:
    for fault, status in (({"status": 503, "headers": {"Retry-After": "99"}}, 503), ({"status": 400}, 400)):
        gateway.langfuse.fail(fault)
        assert post(gateway, request({"name": str(status)})).status == status


def test_a_large_export_is_split_below_what_langfuse_takes(gateway: Gateway) -> None:
    big: list[dict[str, Any]] = [
        {"name": f"n{n}", "attributes": {"langfuse.observation.input": "x" * 1_500_000}} for n in range(4)
    ]
    assert post(gateway, request(*big)).status == 200
    assert len(gateway.langfuse.all_observations()) == 4
    assert len([r for r in gateway.langfuse.requests() if r["path"] == OTEL]) > 1


def test_a_span_that_is_too_large_by_itself_arrives_cut(gateway: Gateway) -> None:
    big = {"name": "n", "attributes": {"langfuse.observation.input": "ä" * 2_500_000, "user.id": "u"}}
    assert post(gateway, request(big)).status == 200
    [row] = gateway.langfuse.all_observations()
    assert row["input"].endswith("ä... [truncated: 5000000 bytes]")
    assert row["metadata"]["truncated"] == [{"path": "langfuse.observation.input", "bytes": 5_000_000}]
    assert row["userId"] == "u"


def test_the_same_export_twice_is_sent_once(gateway: Gateway) -> None:
    for _ in range(2):
        assert post(gateway, request({"name": "n"})).status == 200
    assert len([r for r in gateway.langfuse.requests() if r["path"] == OTEL]) == 1


def test_the_url_that_dify_shows_leads_there(gateway: Gateway, front: Front) -> None:
    headers = {**gateway.authorization, **PROTOBUF}
    answer = httpx.post(f"{front.url}{OTEL}", content=request({"name": "n"}).SerializeToString(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
