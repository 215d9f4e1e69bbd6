"""The stand-in drops what a real server was seen to drop."""

import gzip
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.langfuse import StandInProcess
from demo.langfuse_rules import observations

TRACE_ID, SPAN_ID = b"\x01" * 16, b"\x02" * 8


def request_with(scope: str = "langfuse-sdk", **attributes: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = scope
    span = scope_spans.spans.add(
        trace_id=TRACE_ID, span_id=SPAN_ID, name="n", start_time_unix_nano=1_767_323_045_678_901_000
    )
    for name, value in attributes.items():
        span.attributes.add(key=name.replace("__", ".")).value.string_value = value
    return request


def row_of(scope: str = "langfuse-sdk", **attributes: str) -> dict[str, Any]:
    named = {f"langfuse__observation__{name}": value for name, value in attributes.items()}
    [row] = observations(request_with(scope, **named))
    return row


def test_times_are_cut_to_milliseconds_and_a_missing_end_is_the_start() -> None:
    row = row_of()
    assert (row["startTime"], row["endTime"]) == ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z")


def test_unknown_types_become_spans_and_case_counts() -> None:
    assert [row_of(type=name)["type"] for name in ("guardrail", "Generation", "llm")] == ["guardrail", "span", "span"]


def test_floats_and_negatives_and_bad_json_are_dropped_from_usage() -> None:
    assert row_of(usage_details='{"input": 1.5, "output": -1, "total": 3}')["usageDetails"] == {"total": 3}
    assert row_of(usage_details='{"input": NaN}')["usageDetails"] == {}


def test_a_cost_sent_as_a_string_becomes_0() -> None:
    assert row_of(cost_details='{"total": "0.5"}')["costDetails"] == {"total": 0.0}


def test_a_known_model_without_usage_is_billed_by_guess() -> None:
    assert row_of(type="generation", model__name="gpt-4o", input="some text")["usageInvented"]
    assert not row_of(type="generation", model__name="gpt-4o", usage_details='{"total": 0}')["usageInvented"]


def test_attributes_of_other_scopes_land_in_metadata_again() -> None:
    [row] = observations(request_with("my-exporter", custom="x"))
    assert row["metadata"]["attributes.custom"] == "x"
    [row] = observations(request_with(custom="x"))
    assert not any(name.startswith("attributes") for name in row["metadata"])


def test_nested_metadata_becomes_dotted_keys_and_strings_are_reparsed() -> None:
    row = row_of(metadata='{"a": {"b": "1", "c": "007"}, "d": []}')
    assert {name: row["metadata"][name] for name in ("a.b", "a.c", "d")} == {"a.b": 1, "a.c": "007", "d": []}


@pytest.fixture
def post(langfuse: StandInProcess) -> Any:
    def send(body: bytes, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(
            f"{langfuse.host}/api/public/otel/v1/traces",
            content=body,
            headers={"content-type": "application/x-protobuf"} | names,
            auth=(langfuse.public_key, langfuse.secret_key),
        )

    return send


def test_the_route_answers_as_a_real_server_was_seen_to(post: Any, langfuse: StandInProcess) -> None:
    body = request_with().SerializeToString()
    assert post(body).status_code == 200
    assert post(gzip.compress(body), content_encoding="gzip").status_code == 200
    assert post(body, content_encoding="gzip").status_code == 400
    assert post(b"\xff\xff").status_code == 400
    assert post(body, content_type="text/plain").status_code == 400
    assert post(body, x_langfuse_ingestion_version="5").status_code == 400
    bad = request_with()
    bad.resource_spans[0].scope_spans[0].spans[0].span_id = b""
    assert post(bad.SerializeToString()).status_code == 400
    url = f"{langfuse.host}/api/public/otel/v1/traces"
    assert httpx.post(url, content=body, auth=("pk-lf-demo", "sk-lf-wrong")).status_code == 401
    # The key is found by the secret's hash: the public key does not count.
    headers = {"content-type": "application/x-protobuf"}
    assert httpx.post(url, content=body, headers=headers, auth=("pk-lf-wrong", "sk-lf-demo")).status_code == 200


def test_legacy_trace_events_are_refused_one_by_one_inside_a_207(langfuse: StandInProcess) -> None:
    batch = [
        {"id": "1", "type": "trace-create", "body": {}},
        {"id": "2", "type": "score-create", "body": {"name": "s"}},
    ]
    answer = httpx.post(
        f"{langfuse.host}/api/public/ingestion", json={"batch": batch}, auth=(langfuse.public_key, langfuse.secret_key)
    )
    assert answer.status_code == 207
    assert [error["id"] for error in answer.json()["errors"]] == ["1"]
    assert [success["id"] for success in answer.json()["successes"]] == ["2"]


def test_the_v3_read_routes_are_gone(langfuse: StandInProcess) -> None:
    for route in ("traces", "observations", "sessions"):
        assert httpx.get(f"{langfuse.host}/api/public/{route}").status_code == 404
