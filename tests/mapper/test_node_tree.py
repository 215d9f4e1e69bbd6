from itertools import permutations

from mapper import ids
from tests.mapper.build import BEGIN_NS, RUN, SECOND, llm, named, node, path_of, run_of, total_tokens

TRACE = RUN.replace("-", "")


def test_the_rounds_of_an_iteration_are_chains_around_their_nodes() -> None:
    trace = run_of(
        node("iterate", "iteration", 0, elapsed_time=5),
        llm("ask", begin=1, id="ask-0", title="ask 0", metadata={"iteration_id": "iterate", "iteration_index": 0}),
        llm("ask", begin=3, id="ask-1", title="ask 1", metadata={"iteration_id": "iterate", "iteration_index": 1}),
        node("log", begin=4, metadata={"iteration_id": "iterate", "iteration_index": 1}),
    )
    assert path_of(trace, named(trace, "ask 0")) == ["workflow", "iterate", "iteration 1", "ask 0"]
    assert path_of(trace, named(trace, "ask 1")) == ["workflow", "iterate", "iteration 2", "ask 1"]
    assert path_of(trace, named(trace, "log")) == ["workflow", "iterate", "iteration 2", "log"]
    second = named(trace, "iteration 2")
    assert second.id == ids.observation_id(TRACE, "round", "iterate-row:1")
    assert (second.type, second.start_time, second.end_time) == ("chain", BEGIN_NS + 3 * SECOND, BEGIN_NS + 5 * SECOND)


def test_loops_have_rounds_too() -> None:
    trace = run_of(node("loop", "loop"), node("a", metadata={"loop_id": "loop", "loop_index": 2}))
    assert path_of(trace, named(trace, "a")) == ["workflow", "loop", "loop 3", "a"]


def test_a_containers_totals_are_not_counted_again() -> None:
    totals = {"total_tokens": 30, "total_price": "0.002", "currency": "USD"}
    trace = run_of(
        node("iterate", "iteration", execution_metadata=totals),
        llm("a", 15, metadata={"iteration_id": "iterate", "iteration_index": 0}),
        llm("b", 15, metadata={"iteration_id": "iterate", "iteration_index": 1}),
    )
    assert total_tokens(trace) == 30
    assert named(trace, "iterate").usage == {}
    assert named(trace, "iterate").metadata["execution_metadata"]["total_tokens"] == 30


def test_a_container_whose_nodes_are_missing_carries_its_totals() -> None:
    assert total_tokens(run_of(node("iterate", "iteration", execution_metadata={"total_tokens": 30}))) == 30


def test_a_loop_inside_an_iteration_nests_in_the_right_round() -> None:
    outer = {"iteration_id": "outer"}
    rows = [
        node("outer", "iteration", 0),
        node("inner", "loop", 1, id="inner-0", title="inner 0", metadata=outer | {"iteration_index": 0}),
        node("inner", "loop", 5, id="inner-1", title="inner 1", metadata=outer | {"iteration_index": 1}),
        node("leaf", begin=6, metadata=outer | {"iteration_index": 1, "loop_id": "inner", "loop_index": 0}),
    ]
    paths = set()
    for order in permutations(rows):
        trace = run_of(*order)
        paths.add(tuple(path_of(trace, named(trace, "leaf"))))
    assert paths == {("workflow", "outer", "iteration 2", "inner 1", "loop 1", "leaf")}


def test_a_node_whose_container_is_missing_hangs_under_the_run() -> None:
    trace = run_of(node("a", metadata={"iteration_id": "gone", "iteration_index": 0}))
    assert path_of(trace, named(trace, "a")) == ["workflow", "a"]


def test_containers_that_claim_to_be_inside_each_other_still_make_a_tree() -> None:
    trace = run_of(
        node("a", "loop", metadata={"loop_id": "b", "loop_index": 0}),
        node("b", "loop", metadata={"loop_id": "a", "loop_index": 0}),
        node("self", "loop", metadata={"loop_id": "self", "loop_index": 0}),
    )
    for name in ("a", "b", "self"):
        assert path_of(trace, named(trace, name))[0] == "workflow"


def test_retry_rows_are_children_of_the_node_they_were_attempts_of() -> None:
    trace = run_of(
        node("call", "http-request", 0, id="try-1", title="first", status="retry", error="503"),
        node("call", "http-request", 1, id="try-2", title="second", status="retry", error="504"),
        node("call", "http-request", 2, id="final", title="final"),
    )
    first, second = named(trace, "first"), named(trace, "second")
    assert path_of(trace, first) == ["workflow", "final", "first"]
    assert (first.level, first.status_message, first.metadata["retry_index"]) == ("WARNING", "503", 0)
    assert first.id == ids.observation_id(TRACE, "attempt", "final:0")
    assert second.id == ids.observation_id(TRACE, "attempt", "final:1")


def test_retries_in_different_rounds_stay_in_their_rounds() -> None:
    rounds = [{"iteration_id": "it", "iteration_index": index} for index in (0, 1)]
    trace = run_of(
        node("it", "iteration"),
        node("call", begin=1, id="r0", title="retry 0", status="retry", metadata=rounds[0]),
        node("call", begin=2, id="f0", title="final 0", metadata=rounds[0]),
        node("call", begin=3, id="r1", title="retry 1", status="retry", metadata=rounds[1]),
        node("call", begin=4, id="f1", title="final 1", metadata=rounds[1]),
    )
    assert path_of(trace, named(trace, "retry 0"))[-2] == "final 0"
    assert path_of(trace, named(trace, "retry 1"))[-2] == "final 1"


def test_a_retry_history_in_process_data_is_known_by_its_shape() -> None:
    history = [
        {"retry_index": 1, "error": "503", "elapsed_time": 0.5, "created_at": "2026-01-02T03:04:05", "inputs": {"u": 1}}
    ]
    trace = run_of(node("call", "http-request", 3, process_data={"whatever_it_is_called": history, "request": "GET"}))
    attempt = next(each for each in trace.observations if each.metadata.get("retry_index") == 1)
    assert (attempt.parent_id, attempt.level, attempt.status_message) == (
        ids.observation_id(TRACE, "node", "call-row"), "WARNING", "503"
    )  # fmt: skip
    assert (attempt.id, attempt.input) == (ids.observation_id(TRACE, "attempt", "call-row:1"), {"u": 1})
    call = next(each for each in trace.observations if each.id == attempt.parent_id)
    assert call.metadata["process_data"] == {"request": "GET"}


def test_an_attempt_told_twice_counts_once() -> None:
    history = [{"retry_index": 0, "error": "503", "elapsed_time": 0.5}]
    trace = run_of(
        node("call", id="r", status="retry", error="503", retry_index=0),
        node("call", begin=1, id="f", process_data={"history": history}),
    )
    assert len(trace.observations) == 3


def test_a_retry_row_whose_node_never_came_to_an_end_stays_a_node() -> None:
    trace = run_of(node("call", status="retry", error="503"))
    assert (path_of(trace, named(trace, "call")), named(trace, "call").level) == (["workflow", "call"], "WARNING")


def test_a_row_listed_twice_counts_once() -> None:
    assert len(run_of(node("a"), node("a")).observations) == 2


def test_2_000_nodes_in_one_iteration_take_no_quadratic_time() -> None:
    inside = [
        node("n", id=f"n-{index}", metadata={"iteration_id": "it", "iteration_index": index}) for index in range(2_000)
    ]
    assert len(run_of(node("it", "iteration"), *inside).observations) == 4_002
