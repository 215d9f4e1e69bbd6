from typing import Any

import pytest

from mapper import ids
from mapper.errors import MappingError
from mapper.observation import Trace
from tests.mapper.build import BEGIN, BEGIN_NS, MESSAGE, SECOND, named, trace_of


def message(**more: Any) -> Trace:
    payload = {"message_id": MESSAGE, "start_time": BEGIN, "end_time": "2026-01-02T03:04:07", "message_tokens": 4}
    return trace_of("message", payload | more)


def test_a_message_is_a_root_with_its_generation() -> None:
    trace = message(conversation_mode="chat")
    root, generation = trace.observations
    assert (root.id, root.name, root.type) == (ids.root_id(trace.id), "message", "chain")
    assert (generation.name, generation.type, generation.parent_id) == ("llm", "generation", root.id)
    assert generation.id == ids.observation_id(trace.id, "llm", MESSAGE)
    assert trace.tags == ("message", "chat")


@pytest.mark.parametrize("where", ["metadata", "message_data"])
def test_an_agents_message_is_an_agent(where: str) -> None:
    assert message(**{where: {"agent_based": True}}).observations[0].type == "agent"


def test_time_to_first_token_comes_from_the_payload_or_from_the_usage() -> None:
    assert named(message(gen_ai_server_time_to_first_token=0.5), "llm").completion_start_time == BEGIN_NS + SECOND // 2
    usage = {"message_metadata": {"usage": {"total_tokens": 4, "time_to_first_token": 9}}}
    # Never after the end.
    assert named(message(message_data=usage), "llm").completion_start_time == BEGIN_NS + 2 * SECOND


def test_the_answer_stays_text_and_prompts_become_content() -> None:
    root = message(inputs=[{"role": "user", "text": "hi"}], outputs="hello").observations[0]
    assert (root.input, root.output) == ([{"role": "user", "content": "hi"}], "hello")


def test_a_failed_message_is_an_error_on_root_and_generation() -> None:
    trace = message(error="quota", metadata={"status": "error"})
    assert {(each.level, each.status_message) for each in trace.observations} == {("ERROR", "quota")}


def test_a_message_of_which_only_the_record_is_known_takes_its_times_from_it() -> None:
    data = {"id": MESSAGE, "created_at": BEGIN, "updated_at": "2026-01-02T03:04:06"}
    trace = trace_of("message", {"message_id": MESSAGE, "message_data": data})
    assert (trace.observations[0].start_time, trace.observations[0].end_time) == (BEGIN_NS, BEGIN_NS + SECOND)


def test_a_price_in_another_currency_is_no_dollar_price() -> None:
    usage = {"usage": {"total_tokens": 4, "currency": "RMB"}}
    generation = named(message(message_data={"total_price": "0.5", "message_metadata": usage}), "llm")
    assert (generation.cost, generation.metadata["cost"]) == ({}, {"total": 0.5, "currency": "RMB"})


def test_a_message_without_an_id_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        trace_of("message", {"start_time": BEGIN})
    assert caught.value.path == "message_id"
