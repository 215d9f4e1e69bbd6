from typing import Any

from mapper import ids
from mapper.observation import Trace
from tests.mapper.build import BEGIN_NS, RUN, SECOND, named, node, path_of, run_of, total_tokens

TRACE = RUN.replace("-", "")
SPENT = {"total_tokens": 30, "total_price": "0.003", "currency": "USD"}


def entry(
    key: str, label: str, parent: str | None = None, begin: float = 0, end: float = 1, **more: Any
) -> dict[str, Any]:
    clock = {"started_at": 7_000.5 + begin, "finished_at": 7_000.5 + end}
    return {"id": key, "parent_id": parent, "label": label, "status": "success", "data": more.pop("data", {}),
            "metadata": clock | more.pop("metadata", {}), **more}  # fmt: skip


def agent(*log: dict[str, Any], **more: Any) -> Trace:
    return run_of(node("agent", "agent", 2, elapsed_time=4, metadata={"agent_log": list(log), **SPENT}), **more)


def test_entries_nest_by_their_parents_under_the_agent() -> None:
    trace = agent(
        entry("c", "CALL weather", "r"), entry("r", "ROUND 1"), entry("t", "gpt-x Thought", "r", metadata=SPENT)
    )
    assert path_of(trace, named(trace, "CALL weather")) == ["workflow", "agent", "ROUND 1", "CALL weather"]
    assert {each.name: each.type for each in trace.observations[1:]} == {
        "agent": "agent", "ROUND 1": "chain", "gpt-x Thought": "generation", "CALL weather": "tool"
    }  # fmt: skip
    assert named(trace, "CALL weather").id == ids.observation_id(TRACE, "agent_log", "agent-row:c")
    assert named(trace, "gpt-x Thought").model == "gpt-x"


def test_usage_stands_on_the_innermost_entries_and_never_on_the_agent_too() -> None:
    trace = agent(entry("r", "ROUND 1", metadata=SPENT), entry("t", "gpt-x Thought", "r", metadata=SPENT))
    assert total_tokens(trace) == 30
    assert named(trace, "gpt-x Thought").usage == {"total": 30}
    assert named(trace, "agent").usage == {}
    assert named(trace, "ROUND 1").usage == {}


def test_a_round_without_inner_usage_is_the_generation() -> None:
    trace = agent(entry("r", "ROUND 1", metadata=SPENT), entry("c", "CALL x", "r"))
    assert (named(trace, "ROUND 1").type, named(trace, "ROUND 1").cost) == ("generation", {"total": 0.003})


def test_where_no_entry_has_usage_the_agent_carries_it() -> None:
    trace = agent(entry("c", "CALL x"))
    assert (named(trace, "agent").usage, total_tokens(trace)) == ({"total": 30}, 30)


def test_a_process_clock_is_laid_out_inside_the_agents_own_time() -> None:
    trace = agent(entry("a", "first", begin=0, end=1), entry("b", "second", begin=1.5, end=99))
    first, second = named(trace, "first"), named(trace, "second")
    begin = BEGIN_NS + 2 * SECOND
    assert (first.start_time, first.end_time) == (begin, begin + SECOND)
    assert (second.start_time, second.end_time) == (begin + 3 * SECOND // 2, begin + 4 * SECOND)


def test_an_entry_without_a_clock_takes_its_parents_time() -> None:
    bare = {"id": "b", "parent_id": "a", "label": "bare", "metadata": None}
    trace = agent(entry("z", "zero"), entry("a", "outer", begin=1, end=2), bare)
    assert named(trace, "bare").start_time == named(trace, "outer").start_time


def test_an_entrys_own_error_is_its_status_message() -> None:
    trace = agent(entry("c", "CALL x", status="error", error="no such city"))
    assert (named(trace, "CALL x").level, named(trace, "CALL x").status_message) == ("ERROR", "no such city")


def test_what_agent_strategies_write_becomes_input_and_output() -> None:
    answer = {"tool_call_id": "1", "tool_call_name": "w", "tool_call_input": {"city": "Rome"}, "tool_response": "18C"}
    trace = agent(
        entry("c", "CALL w", data={"output": answer}),
        entry("t", "gpt-x Thought", data={"output": "think", "tool_name": "w", "tool_input": {"city": "Rome"}}),
        entry("o", "other", data={"free": 1}),
    )
    assert (named(trace, "CALL w").input, named(trace, "CALL w").output) == ({"city": "Rome"}, "18C")
    assert (named(trace, "gpt-x Thought").input, named(trace, "gpt-x Thought").output) == ({"city": "Rome"}, "think")
    assert named(trace, "other").output == {"free": 1}


def test_the_later_of_two_entries_with_one_id_is_the_complete_one() -> None:
    trace = agent(entry("c", "CALL x", status="start"), entry("c", "CALL x", status="success", data={"output": "done"}))
    assert named(trace, "CALL x").output == "done"


def test_message_id_is_taken_for_id_and_circles_and_strangers_do_no_harm() -> None:
    trace = agent(
        {"message_id": "m", "label": "old", "parent_id": "stranger"},
        entry("a", "A", "b"),
        entry("b", "B", "a"),
        {"label": "nameless"},
    )
    assert named(trace, "old").id == ids.observation_id(TRACE, "agent_log", "agent-row:m")
    for name in ("old", "A", "B", "nameless"):
        assert path_of(trace, named(trace, name))[:2] == ["workflow", "agent"]


def test_agent_v2s_object_is_kept_in_metadata() -> None:
    trace = run_of(node("agent", "agent", metadata={"agent_log": {"agent_backend": {"usage": {}}}, **SPENT}))
    found = named(trace, "agent")
    assert found.metadata["execution_metadata"]["agent_log"] == {"agent_backend": {"usage": {}}}
    assert found.usage == {"total": 30}
