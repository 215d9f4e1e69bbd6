"""What must hold for every payload, whatever it is."""

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import BaseModel

from mapper import to_trace
from mapper.errors import MappingError
from mapper.observation import Trace
from mapper.options import MappingOptions
from payloads.body import read_items
from payloads.envelope import parse_payload
from payloads.errors import NotATrace, PayloadError
from payloads.node_execution import AgentLogEntry, AgentLogMetadata, ExecutionMetadata, NodeExecution
from payloads.trace_info import TRACE_TYPES, MessageData
from payloads.usage import LLMUsage
from provider.encoding import encode
from tests.mapper.build import ARRIVAL_NS, RUN

OPTIONS = MappingOptions(received_at=ARRIVAL_NS)
SETTINGS = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars | st.sampled_from(["2026-01-02T03:04:05", "1767323045", 1767323045, "0.5", "failed", "chat"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    int | None: st.none() | st.integers(0, 10**6) | st.just("12"),
    Decimal | None: st.none() | st.decimals(0, 5, places=7).map(str) | st.floats(0, 5),
    float | None: st.none() | st.floats(0, 100),
    str | None: st.none() | st.text(max_size=8) | st.sampled_from(["", "failed", "succeeded", "x"]),
    str: st.text(min_size=1, max_size=8),
    bool | None: st.none() | st.booleans(),
    datetime | None: st.sampled_from([None, "2026-01-02T03:04:05", "2026-01-02T03:04:09.678901Z", 1767323045]),
    dict[str, Any]: st.none() | st.dictionaries(st.text(max_size=6), values, max_size=3),
}
"""What a sender that knows the type would write."""


def sensible(model: type[BaseModel], **special: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a model, each field there or not, of the right type."""
    fields = {
        name: special.get(name, BY_TYPE.get(field.annotation, values)) for name, field in model.model_fields.items()
    }
    required = {name: fields.pop(name) for name, field in model.model_fields.items() if field.is_required()}
    return st.fixed_dictionaries(required, optional=fields)


usages = sensible(LLMUsage) | values
agent_logs = st.lists(
    sensible(
        AgentLogEntry,
        id=st.sampled_from(["1", "2", "3"]),
        parent_id=st.sampled_from(["1", "2", "3", None]),
        metadata=sensible(AgentLogMetadata),
    ),
    max_size=4,
)
attempt = {"error": st.just("503"), "elapsed_time": st.floats(0, 9), "created_at": st.just(1767323045)}
histories = st.lists(st.fixed_dictionaries({"retry_index": st.integers(0, 3)}, optional=attempt), max_size=2) | values
containers = st.sampled_from([None, "1", "2", "3"])
node_rows = sensible(
    NodeExecution,
    id=st.sampled_from(["a", "b", "c", "d"]),
    node_id=st.sampled_from(["1", "2", "3"]),
    node_type=st.sampled_from(["llm", "tool", "agent", "iteration", "loop", "code"]),
    status=st.sampled_from(["succeeded", "failed", "retry", "exception"]),
    process_data=values
    | st.fixed_dictionaries({"usage": usages, "history": histories, "model_name": st.just("gpt-4o")}),
    outputs=values | st.fixed_dictionaries({"usage": usages}),
    execution_metadata=sensible(
        ExecutionMetadata,
        iteration_id=containers,
        loop_id=containers,
        agent_log=agent_logs | st.just({"agent_backend": {}}),
    ),
).map(lambda row: {"id": "e", **row})
message_data = sensible(MessageData, message_metadata=st.fixed_dictionaries({"usage": usages}))
ids_of_messages = st.sampled_from(["m", "b0000000-0000-4000-8000-000000000010"])


@st.composite
def envelopes(draw: st.DrawFn) -> dict[str, Any]:
    """A payload of any type: sensible, but in one case of three with junk in one field."""
    name = draw(st.sampled_from([*TRACE_TYPES, *["workflow"] * 5]))
    model = TRACE_TYPES[name]
    rows = st.lists(node_rows, max_size=6)
    info = draw(sensible(model, message_id=ids_of_messages, message_data=message_data, workflow_node_executions=rows))
    info |= {"message_id": draw(ids_of_messages), "workflow_run_id": "r", "conversation_id": "c"}
    if draw(st.integers(0, 2)) == 0:
        info[draw(st.sampled_from(sorted(model.model_fields)))] = draw(values)
    return {"trace_info_type": name, "trace_info": info}


def mapped(envelope: dict[str, Any]) -> Trace | None:
    try:
        return to_trace(parse_payload(envelope), OPTIONS)
    except (NotATrace, MappingError):
        return None


def spans(trace: Trace) -> dict[bytes, bytes]:
    request = ExportTraceServiceRequest.FromString(encode([(trace, trace.observations)], "pk"))
    return {span.span_id: span.SerializeToString() for span in request.resource_spans[0].scope_spans[0].spans}


@given(envelopes())
@SETTINGS
def test_every_payload_is_refused_by_name_or_becomes_a_sound_trace(envelope: dict[str, Any]) -> None:
    trace = mapped(envelope)
    if trace is None:
        return
    by_id = {each.id: each for each in trace.observations}
    assert len(by_id) == len(trace.observations), "an id stands for two observations"
    for each in trace.observations:
        assert each.start_time <= each.end_time
        assert all(isinstance(count, int) and count >= 0 for count in each.usage.values())
        assert each.name
        seen = set()
        above = each
        while above.parent_id in by_id:
            assert above.id not in seen, "observations in a circle"
            seen.add(above.id)
            above = by_id[above.parent_id]
    assert len(spans(trace)) == len(trace.observations)


@given(envelopes())
@SETTINGS
def test_the_same_payload_gives_the_same_bytes(envelope: dict[str, Any]) -> None:
    try:
        text = json.dumps(envelope).encode()
        again = read_items(text)[0]
    except (PayloadError, ValueError):
        return
    first, second = mapped(envelope), mapped(again)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert spans(first) == spans(second)


@given(st.lists(envelopes(), max_size=5).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
@SETTINGS
def test_any_order_of_the_payloads_gives_the_same_spans(orders: tuple[list[Any], list[Any]]) -> None:
    counted = [
        Counter(span for envelope in order if (trace := mapped(envelope)) for span in spans(trace).values())
        for order in orders
    ]
    assert counted[0] == counted[1]


@given(st.lists(envelopes(), max_size=6))
@SETTINGS
def test_a_batch_maps_each_payload_as_if_it_came_alone(batch: list[dict[str, Any]]) -> None:
    traces = [trace for envelope in batch if (trace := mapped(envelope))]
    alone = Counter(span for trace in traces for span in spans(trace).values())
    joined = ExportTraceServiceRequest.FromString(b"".join(encode([(t, t.observations)], "pk") for t in traces))
    together = Counter(
        span.SerializeToString() for resource in joined.resource_spans for span in resource.scope_spans[0].spans
    )
    assert alone == together


billed = st.tuples(st.integers(0, 5_000), st.integers(0, 100_000).map(lambda n: Decimal(n).scaleb(-7)))


def totals(tokens: int, price: Decimal) -> dict[str, Any]:
    return {"total_tokens": tokens, "total_price": str(price), "currency": "USD"}


@st.composite
def accounted_runs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], int, Decimal]:  # noqa: C901 - one grammar
    """The nodes of a run, and what Dify billed: the sum over what really called a model."""
    rows: list[dict[str, Any]] = []
    spent: list[tuple[int, Decimal]] = []

    def add(node_type: str, inside: dict[str, Any], tokens: int, price: Decimal, **more: Any) -> None:
        key = f"n{len(rows)}"
        metadata = totals(tokens, price) | inside | more.pop("metadata", {})
        rows.append({"id": key, "node_id": more.pop("node_id", key), "node_type": node_type, "status": "succeeded",
                     "created_at": 1767323045, "execution_metadata": metadata, **more})  # fmt: skip

    def leaf(inside: dict[str, Any]) -> None:
        tokens, price = draw(billed)
        kind = draw(st.sampled_from(["llm", "question-classifier", "tool", "knowledge-retrieval", "agent"]))
        spent.append((tokens, price))
        if kind == "agent" and draw(st.booleans()):
            entry = {"status": "success", "metadata": totals(tokens, price)}
            log = [
                {"id": "r", "label": "ROUND 1", **entry},
                {"id": "t", "parent_id": "r", "label": "x Thought", **entry},
            ]
            add(kind, inside, tokens, price, metadata={"agent_log": log})
        elif kind == "llm":
            cached = draw(st.integers(0, tokens))
            usage = {
                "prompt_tokens": tokens,
                "completion_tokens": 0,
                "prompt_tokens_details": {"cached_tokens": cached},
            }
            add(kind, inside, tokens, price, process_data={"usage": usage, "model_name": "gpt-4o"})
        else:
            add(kind, inside, tokens, price)

    def container(inside: dict[str, Any], depth: int) -> None:
        kind = draw(st.sampled_from(["iteration", "loop"]))
        if f"{kind}_id" in inside:
            return
        before = len(spent)
        node_id = f"c{len(rows)}"
        position = len(rows)
        add(kind, inside, 0, Decimal(0), node_id=node_id)
        for index in range(draw(st.integers(1, 3))):
            steps({**inside, f"{kind}_id": node_id, f"{kind}_index": index}, depth - 1)
        # As Dify does: the container repeats the sum of what is inside it.
        rows[position]["execution_metadata"] |= totals(
            sum(tokens for tokens, _ in spent[before:]), sum((price for _, price in spent[before:]), Decimal(0))
        )

    def steps(inside: dict[str, Any], depth: int) -> None:
        for _ in range(draw(st.integers(1, 2))):
            if depth and draw(st.booleans()):
                container(inside, depth)
            else:
                leaf(inside)

    steps({}, 2)
    return draw(st.permutations(rows)), sum(t for t, _ in spent), sum((p for _, p in spent), Decimal(0))


@given(accounted_runs())
@SETTINGS
def test_usage_and_cost_add_up_to_what_dify_billed(run: tuple[list[dict[str, Any]], int, Decimal]) -> None:
    rows, tokens, price = run
    trace = mapped({"trace_info_type": "workflow", "trace_info": {"workflow_run_id": RUN, "nodes": rows}})
    assert trace is not None
    assert sum(each.usage.get("total", 0) for each in trace.observations) == tokens
    assert abs(sum(each.cost.get("total", 0.0) for each in trace.observations) - float(price)) < 1e-9
    for each in trace.observations:
        sides = {name: count for name, count in each.usage.items() if name != "total"}
        assert not sides or sum(sides.values()) == each.usage["total"]


@given(st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()))
@SETTINGS
def test_any_bytes_are_read_or_refused_by_the_rooms_own_error(body: bytes) -> None:
    for content_type in ("application/json", "application/x-ndjson"):
        for encoding in ("", "gzip"):
            try:
                items = read_items(body, content_type, encoding)
            except PayloadError:
                continue
            assert items
