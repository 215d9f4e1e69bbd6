"""Moderation, retrieval, tools and suggested questions around one message, and the other small types."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mapper import ids
from mapper.errors import MappingError
from tests.mapper.build import ARRIVAL_NS, BEGIN, BEGIN_NS, MESSAGE, RUN, SECOND, named, node, run_of, trace_of

PARTS: dict[str, dict[str, Any]] = {
    "moderation": {"flagged": False},
    "suggested_question": {"suggested_question": ["a"]},
    "dataset_retrieval": {"documents": []},
    "tool": {"tool_name": "weather"},
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_turn_hangs_under_the_root_that_its_message_makes(part: str) -> None:
    root = trace_of("message", {"message_id": MESSAGE, "start_time": BEGIN}).observations[0]
    trace = trace_of(part, {"message_id": MESSAGE, "start_time": BEGIN, **PARTS[part]})
    assert trace.observations[0].parent_id == root.id
    assert (trace.id, trace.name) == (MESSAGE.replace("-", ""), "message")


@pytest.mark.parametrize("part", PARTS)
def test_a_parts_id_comes_from_its_content(part: str) -> None:
    payload = {"message_id": MESSAGE, "start_time": BEGIN, **PARTS[part]}
    trace = trace_of(part, payload)
    assert trace.observations[0].id == ids.observation_id(trace.id, part, ids.content_digest(payload))
    other = trace_of(part, payload | {"inputs": "another call"})
    assert other.observations[0].id != trace.observations[0].id


@pytest.mark.parametrize("part", PARTS)
def test_timers_of_a_container_in_another_zone_are_set_right(part: str) -> None:
    payload = {"message_id": MESSAGE, "start_time": BEGIN, **PARTS[part]}
    trace = trace_of(part, payload, timezone=ZoneInfo("Asia/Shanghai"))
    assert trace.observations[0].start_time == BEGIN_NS - 8 * 3600 * SECOND
    aware = trace_of(part, payload | {"start_time": BEGIN + "Z"}, timezone=ZoneInfo("Asia/Shanghai"))
    assert aware.observations[0].start_time == BEGIN_NS


@pytest.mark.parametrize("part", PARTS)
def test_without_a_timer_the_messages_times_stand_in_and_then_the_arrival(part: str) -> None:
    data = {"created_at": BEGIN, "updated_at": "2026-01-02T03:04:06", "conversation_id": "c"}
    trace = trace_of(part, {"message_id": MESSAGE, "message_data": data, **PARTS[part]})
    assert (trace.observations[0].start_time, trace.observations[0].end_time) == (BEGIN_NS, BEGIN_NS + SECOND)
    assert trace.session_id == "c"
    bare = trace_of(part, {"message_id": MESSAGE, **PARTS[part]})
    assert (bare.observations[0].start_time, len(bare.warnings)) == (ARRIVAL_NS, 1)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_a_trace_is_refused_by_name(part: str) -> None:
    with pytest.raises(MappingError) as caught:
        trace_of(part, {"start_time": BEGIN, **PARTS[part]})
    assert caught.value.path == "message_id"


def test_a_suggested_questions_tokens_are_the_messages_and_never_usage() -> None:
    payload = {"message_id": MESSAGE, "total_tokens": 51, "model_id": "gpt-x", "suggested_question": ["a"]}
    generation = trace_of("suggested_question", payload).observations[0]
    assert (generation.usage["total"], generation.metadata["total_tokens"]) == (0, 51)


def test_a_tools_own_call_is_not_repeated_in_its_metadata() -> None:
    call = {"tool_name": "w", "tool_inputs": {"a": 1}, "tool_outputs": "x"}
    tool = trace_of("tool", {"message_id": MESSAGE, **call, "metadata": call}).observations[0]
    assert {"tool_inputs", "tool_outputs"}.isdisjoint(tool.metadata)


def test_a_title_is_a_trace_of_its_own_in_the_conversations_session() -> None:
    payload = {"conversation_id": "c-1", "inputs": "p", "outputs": "t", "start_time": BEGIN}
    trace = trace_of("generate_name", payload)
    assert (trace.id, trace.session_id) == (ids.trace_id("generate_name:c-1"), "c-1")
    assert (trace.observations[0].id, trace.observations[0].parent_id) == (ids.root_id(trace.id), None)
    # A trace id that the caller chose belongs to the turn: a second root there would replace the message.
    assert trace_of("generate_name", payload | {"trace_id": "shared"}).id == trace.id


def test_the_tenant_is_never_the_user() -> None:
    assert trace_of("generate_name", {"conversation_id": "c", "tenant_id": "t"}).user_id is None


def test_a_title_without_a_conversation_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        trace_of("generate_name", {"inputs": "p"})
    assert caught.value.path == "conversation_id"


def test_a_node_on_its_own_is_the_same_observation_as_in_its_run() -> None:
    run = run_of(node("a", id="n-1"), message_id=MESSAGE)
    payload = {"workflow_run_id": RUN, "message_id": MESSAGE, "node_execution_id": "n-1", "node_type": "code",
               "title": "a", "start_time": BEGIN, "status": "succeeded"}  # fmt: skip
    alone = trace_of("workflow_node", payload)
    assert alone.id == run.id
    assert alone.observations[0].id == named(run, "a").id
    assert alone.observations[0].parent_id == named(run, "workflow").id
    without_message = trace_of("workflow_node", payload | {"message_id": None})
    assert without_message.observations[0].parent_id == ids.root_id(without_message.id)


def test_a_node_on_its_own_carries_model_usage_and_cost() -> None:
    payload = {
        "workflow_run_id": RUN, "node_execution_id": "n", "node_type": "llm", "start_time": BEGIN, "elapsed_time": 2.0,
        "total_tokens": 12, "prompt_tokens": 8, "completion_tokens": 4, "total_price": 0.5, "currency": "USD",
        "model_name": "gpt-x", "model_provider": "openai", "node_inputs": {"a": 1}, "node_outputs": {"b": 2},
    }  # fmt: skip
    found = trace_of("workflow_node", payload).observations[0]
    assert (found.type, found.model, found.cost) == ("generation", "gpt-x", {"total": 0.5})
    assert found.usage == {"input": 8, "output": 4, "total": 12}
    assert (found.input, found.output, found.end_time - found.start_time) == ({"a": 1}, {"b": 2}, 2 * SECOND)


def test_a_draft_node_is_the_root_of_its_own_trace() -> None:
    payload = {"node_execution_id": "n", "node_type": "code", "title": "Try it", "start_time": BEGIN}
    trace = trace_of("draft_node", payload)
    assert (trace.name, trace.observations[0].parent_id, trace.id) == ("Try it", None, ids.trace_id("n"))


def test_a_node_of_no_run_is_refused() -> None:
    with pytest.raises(MappingError):
        trace_of("workflow_node", {"node_execution_id": "n", "node_type": "code"})


def test_a_generated_prompt_takes_its_arrival_for_a_time_and_says_so() -> None:
    payload = {"instruction": "Write", "outputs": "You are", "prompt_tokens": 100, "completion_tokens": 200,
               "total_tokens": 300, "model_name": "gpt-4o", "total_price": 0.004, "currency": "USD", "latency": 2.0,
               "operation_type": "rule_generate", "user_id": "u"}  # fmt: skip
    trace = trace_of("prompt_generation", payload)
    found = trace.observations[0]
    assert (found.start_time, found.end_time) == (ARRIVAL_NS, ARRIVAL_NS + 2 * SECOND)
    assert (found.input, found.usage["total"], found.cost, trace.user_id) == ("Write", 300, {"total": 0.004}, "u")
    assert len(trace.warnings) == 1
    digest = ids.content_digest(payload)
    assert (found.id, found.parent_id) == (ids.observation_id(trace.id, "prompt_generation", digest), None)
