from mapper import ids
from tests.mapper.build import (
    ARRIVAL_NS,
    BEGIN,
    BEGIN_NS,
    MESSAGE,
    RUN,
    SECOND,
    llm,
    named,
    node,
    path_of,
    run_of,
    total_tokens,
    trace_of,
)


def test_a_workflow_run_is_a_root_over_its_nodes() -> None:
    trace = run_of(node("a"), node("b"))
    assert (trace.id, trace.name, trace.tags) == (RUN.replace("-", ""), "workflow", ("workflow",))
    root = trace.observations[0]
    assert (root.id, root.parent_id, root.type) == (ids.root_id(trace.id), None, "chain")
    assert [path_of(trace, each) for each in trace.observations[1:]] == [["workflow", "a"], ["workflow", "b"]]


def test_a_chatflow_run_is_a_message_over_a_workflow_over_its_nodes() -> None:
    trace = run_of(
        node("a"),
        message_id=MESSAGE,
        conversation_id="c",
        query="the question",
        workflow_run_inputs={"lang": "en"},
        workflow_run_outputs={"answer": "the answer", "files": []},
    )
    assert (trace.id, trace.name, trace.tags) == (MESSAGE.replace("-", ""), "message", ("message", "workflow"))
    assert path_of(trace, named(trace, "a")) == ["message", "workflow", "a"]
    root, chain = named(trace, "message"), named(trace, "workflow")
    assert chain.id == ids.observation_id(trace.id, "workflow", RUN)
    assert (root.input, root.output) == ({"query": "the question", "inputs": {"lang": "en"}}, "the answer")
    assert (chain.input, chain.output) == ({"lang": "en"}, {"answer": "the answer", "files": []})


def test_a_callers_trace_id_names_the_trace() -> None:
    assert run_of(trace_id="order-778", message_id=MESSAGE).id == ids.trace_id("order-778")


def test_every_node_type_has_its_observation_type() -> None:
    expected = {
        "llm": "generation",
        "question-classifier": "generation",
        "parameter-extractor": "generation",
        "knowledge-retrieval": "retriever",
        "tool": "tool",
        "http-request": "tool",
        "agent": "agent",
        "iteration": "chain",
        "loop": "chain",
        "code": "span",
        "if-else": "span",
        "a-type-of-tomorrow": "span",
    }
    trace = run_of(*(node(name, name) for name in expected))
    assert {each.name: each.type for each in trace.observations[1:]} == expected


def test_a_generations_input_is_its_prompts_and_its_variables_go_to_metadata() -> None:
    generation = named(run_of(llm("ask", inputs={"#context#": "text"}, outputs={"text": "yes"})), "ask")
    assert generation.input == [{"role": "user", "content": "hi"}]
    assert generation.output == {"text": "yes"}
    assert generation.metadata["inputs"] == {"#context#": "text"}
    assert (generation.model, generation.metadata["model_provider"]) == ("gpt-x", "openai")
    assert generation.metadata["process_data"] == {
        "model_mode": "chat", "model_provider": "openai", "model_name": "gpt-x"
    }  # fmt: skip


def test_model_parameters_and_time_to_first_token_arrive() -> None:
    row = llm(
        "ask",
        process_data={
            "model_parameters": {"temperature": 0.2},
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "time_to_first_token": 0.25},
        },
    )
    generation = named(run_of(row), "ask")
    assert generation.model_parameters == {"temperature": 0.2}
    assert generation.completion_start_time == BEGIN_NS + SECOND // 4


def test_a_failed_nodes_own_error_comes_before_the_runs() -> None:
    trace = run_of(
        node("own", status="failed", error="node broke"),
        node("none", status="failed"),
        node("handled", status="exception", error="handled"),
        node("fine"),
        workflow_run_status="failed",
        error="run broke",
    )
    seen = {each.name: (each.level, each.status_message) for each in trace.observations}
    assert seen == {
        "workflow": ("ERROR", "run broke"),
        "own": ("ERROR", "node broke"),
        "none": ("ERROR", "run broke"),
        "handled": ("WARNING", "handled"),
        "fine": ("DEFAULT", None),
    }


def test_stopped_and_partly_succeeded_runs_are_warnings() -> None:
    for status in ("stopped", "partial-succeeded"):
        assert run_of(workflow_run_status=status).observations[0].level == "WARNING"


def test_a_runs_totals_stay_in_metadata_and_the_nodes_add_up_to_them() -> None:
    trace = run_of(llm("a", 15), llm("b", 30), node("c", execution_metadata={"total_tokens": 0}), total_tokens=45)
    root = trace.observations[0]
    assert (root.usage, root.metadata["total_tokens"], total_tokens(trace)) == ({}, 45, 45)
    assert sum(each.cost.get("total", 0) for each in trace.observations) == 0.002


def test_a_model_that_reported_nothing_gets_zeros_instead_of_langfuses_guess() -> None:
    row = node("ask", "llm", status="failed", process_data={"model_name": "gpt-4o"}, execution_metadata={})
    generation = named(run_of(row), "ask")
    assert (generation.usage["total"], generation.metadata["usage_reported"]) == (0, False)


def test_usage_is_found_in_outputs_too() -> None:
    for key in ("usage", "__usage"):
        row = node("ask", "parameter-extractor", outputs={key: {"prompt_tokens": 3, "completion_tokens": 4}})
        assert named(run_of(row), "ask").usage == {"input": 3, "output": 4, "total": 7}


def test_a_tool_that_used_a_model_carries_its_usage() -> None:
    row = node("call", "tool", execution_metadata={"total_tokens": 7, "total_price": "0.01", "currency": "USD"})
    tool = named(run_of(row), "call")
    assert (tool.usage, tool.cost) == ({"total": 7}, {"total": 0.01})


def test_the_whole_graph_is_left_out() -> None:
    trace = run_of(workflow_data={"graph": {"nodes": ["secret prompt"]}, "total_steps": 4, "inputs": {}, "outputs": {}})
    assert trace.observations[0].metadata["workflow_data"] == {"total_steps": 4}
    assert "secret prompt" not in str(trace)


def test_unknown_fields_arrive_under_dify_extra() -> None:
    trace = run_of(node("a", from_tomorrow=1), from_the_future=2)
    assert trace.observations[0].metadata["dify_extra"] == {"from_the_future": 2}
    assert named(trace, "a").metadata["dify_extra"] == {"from_tomorrow": 1}


def test_the_end_of_a_run_comes_from_its_elapsed_time_where_it_has_none() -> None:
    root = run_of(end_time=None, workflow_run_elapsed_time=2.5).observations[0]
    assert root.end_time - root.start_time == 2_500_000_000


def test_a_run_without_times_takes_those_of_its_nodes_or_else_of_its_arrival() -> None:
    assert run_of(node("a", begin=3), start_time=None).observations[0].start_time == BEGIN_NS + 3 * SECOND
    trace = run_of(start_time=None)
    assert trace.observations[0].start_time == ARRIVAL_NS
    assert len(trace.warnings) == 1


def test_console_rows_in_whole_seconds_last_their_elapsed_time() -> None:
    row = node("a") | {"created_at": 1767323045, "finished_at": 1767323045, "elapsed_time": 0.25}
    observation = named(run_of(row), "a")
    assert (observation.start_time, observation.end_time) == (BEGIN_NS, BEGIN_NS + SECOND // 4)


def test_an_end_before_the_start_is_lifted_to_it() -> None:
    root = run_of(end_time="2026-01-02T03:04:01").observations[0]
    assert root.end_time == root.start_time


def test_a_nested_run_in_the_callers_trace_hangs_under_the_calling_node() -> None:
    context = {"parent_workflow_run_id": "outer", "parent_node_execution_id": "call-row"}
    outer = run_of(
        node("call", "tool", execution_metadata={"tool_info": {"provider_type": "workflow"}, "total_tokens": 15}),
        trace_id="shared",
    )
    inner = run_of(
        llm("ask", 15), workflow_run_id="inner", trace_id="shared", metadata={"parent_trace_context": context}
    )
    assert inner.id == outer.id
    chain = named(inner, "workflow")
    assert chain.parent_id == named(outer, "call").id
    assert (inner.name, inner.tags) == (None, ())
    assert len({each.id for each in (*outer.observations, *inner.observations)}) == 4
    assert total_tokens(outer) + total_tokens(inner) == 15


def test_a_nested_run_without_a_shared_trace_is_a_trace_that_names_its_parent() -> None:
    context = {"parent_workflow_run_id": "outer", "parent_node_execution_id": "call-row"}
    trace = run_of(workflow_run_id="inner", metadata={"parent_trace_context": context})
    root = trace.observations[0]
    assert (trace.id, root.parent_id) == (ids.trace_id("inner"), None)
    assert root.metadata["parent_trace_context"] == context


def test_the_user_is_the_most_specific_name_there_is() -> None:
    inputs = {"sys.user_id": "from-inputs"}
    assert run_of(workflow_run_inputs=inputs).user_id == "from-inputs"
    assert run_of(workflow_run_inputs=inputs, metadata={"user_id": "from-metadata"}).user_id == "from-metadata"
    session = {"user_id": "x", "user_session_id": "from-session"}
    assert run_of(workflow_run_inputs=inputs, metadata=session).user_id == "from-session"
    assert run_of(tenant_id="tenant").user_id is None


def test_naive_run_times_are_utc_whatever_the_containers_zone() -> None:
    # Dify's database times are naive UTC; only its timers are naive local time.
    from zoneinfo import ZoneInfo

    payload = {"workflow_run_id": RUN, "start_time": BEGIN}
    trace = trace_of("workflow", payload, timezone=ZoneInfo("Asia/Shanghai"))
    assert trace.observations[0].start_time == BEGIN_NS


def test_the_version_of_the_workflow_is_the_observations_version() -> None:
    assert run_of(workflow_run_version="2026-01-01").version == "2026-01-01"
