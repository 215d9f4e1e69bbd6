import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mapper.observation import Observation, Trace
from provider.encoding import encode

OBSERVATION = Observation(
    id="00000000000000aa",
    parent_id="00000000000000bb",
    type="generation",
    name="llm",
    start_time=1_767_323_045_678_901_000,
    end_time=1_767_323_046_000_000_000,
    level="WARNING",
    status_message="slow",
    input=[{"role": "user", "content": "hi"}],
    output="hello",
    metadata={"a": {"b": 1}},
    model="gpt-x",
    model_parameters={"temperature": 0.2},
    usage={"input": 1, "output": 2, "total": 3},
    cost={"total": 0.5},
    completion_start_time=1_767_323_045_700_000_000,
)
TRACE = Trace(
    id="0af7651916cd43dd8448eb211c80319c",
    name="message",
    observations=(OBSERVATION,),
    user_id="u",
    session_id="s",
    tags=("a", "b"),
    metadata={"app_id": "x"},
    version="v",
    environment="production",
    release="r",
)


def spans(body: bytes) -> list[Any]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes(span: Any) -> dict[str, Any]:
    names = [attribute.key for attribute in span.attributes]
    assert len(names) == len(set(names))
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def test_every_field_has_its_attribute() -> None:
    span = spans(encode([(TRACE, TRACE.observations)], "pk"))[0]
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (
        TRACE.id, OBSERVATION.id, OBSERVATION.parent_id
    )  # fmt: skip
    assert (span.name, span.start_time_unix_nano, span.end_time_unix_nano) == (
        "llm", OBSERVATION.start_time, OBSERVATION.end_time
    )  # fmt: skip
    found = attributes(span)
    tags = next(attribute for attribute in span.attributes if attribute.key == "langfuse.trace.tags")
    assert [value.string_value for value in tags.value.array_value.values] == ["a", "b"]
    del found["langfuse.trace.tags"]
    assert {name: json.loads(text) if text[0] in "{[" else text for name, text in found.items()} == {
        "langfuse.trace.name": "message",
        "user.id": "u",
        "session.id": "s",
        "langfuse.trace.metadata": {"app_id": "x"},
        "langfuse.environment": "production",
        "langfuse.release": "r",
        "langfuse.version": "v",
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "WARNING",
        "langfuse.observation.status_message": "slow",
        "langfuse.observation.input": [{"role": "user", "content": "hi"}],
        "langfuse.observation.output": "hello",
        "langfuse.observation.metadata": {"a": {"b": 1}},
        "langfuse.observation.model.name": "gpt-x",
        "langfuse.observation.model.parameters": {"temperature": 0.2},
        "langfuse.observation.usage_details": {"input": 1, "output": 2, "total": 3},
        "langfuse.observation.cost_details": {"total": 0.5},
        "langfuse.observation.completion_start_time": "2026-01-02T03:04:05.700Z",
    }


def test_a_root_has_no_parent_and_absent_fields_have_no_attribute() -> None:
    root = Observation(id="00000000000000aa", parent_id=None, type="chain", name="n", start_time=1, end_time=1)
    trace = Trace(id=TRACE.id, name=None, observations=(root,))
    span = spans(encode([(trace, trace.observations)], "pk"))[0]
    assert span.parent_span_id == b""
    assert set(attributes(span)) == {"langfuse.observation.type", "langfuse.observation.level"}


def test_the_scope_is_langfuses_and_names_the_key_and_the_resource_names_no_host() -> None:
    request = ExportTraceServiceRequest.FromString(encode([(TRACE, TRACE.observations)], "pk-lf-x"))
    scope = request.resource_spans[0].scope_spans[0].scope
    assert scope.name == "langfuse-sdk"
    assert [(each.key, each.value.string_value) for each in scope.attributes] == [("public_key", "pk-lf-x")]
    assert [each.key for each in request.resource_spans[0].resource.attributes] == ["service.name"]


def test_bodies_joined_are_a_body() -> None:
    body = encode([(TRACE, TRACE.observations)], "pk")
    assert spans(body + body) == spans(body) * 2


def test_the_same_trace_gives_the_same_bytes() -> None:
    assert encode([(TRACE, TRACE.observations)], "pk") == encode([(TRACE, TRACE.observations)], "pk")
