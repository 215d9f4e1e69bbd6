from typing import Any

import pytest
from pydantic import AliasChoices

from payloads.envelope import parse_payload
from payloads.errors import NotATrace
from payloads.trace_info import TRACE_TYPES, MessageTraceInfo, TraceInfo, WorkflowTraceInfo

REQUIRED: dict[str, dict[str, Any]] = {
    "tool": {"tool_name": "t"},
    "workflow_node": {"node_execution_id": "n", "node_type": "llm"},
    "draft_node": {"node_execution_id": "n", "node_type": "llm"},
}


def problems(item: Any, trace_type: str | None = None) -> dict[str, str]:
    with pytest.raises(NotATrace) as caught:
        parse_payload(item, trace_type)
    return {detail.path: detail.problem for detail in caught.value.details}


@pytest.mark.parametrize("short_name", list(TRACE_TYPES))
def test_every_type_is_known_by_both_its_names_and_by_the_path(short_name: str) -> None:
    model, info = TRACE_TYPES[short_name], REQUIRED.get(short_name, {})
    for name in (short_name, model.__name__):
        assert type(parse_payload({"trace_info_type": name, "trace_info": info})) is model
        assert type(parse_payload(info, name)) is model


def test_the_envelopes_app_id_is_kept_but_never_overrides() -> None:
    envelope = {"app_id": "outer", "trace_info_type": "message", "trace_info": {}}
    assert parse_payload(envelope).app_id == "outer"
    assert parse_payload({**envelope, "trace_info": {"app_id": "inner"}}).app_id == "inner"


def test_difys_empty_task_is_a_clear_refusal() -> None:
    with pytest.raises(NotATrace) as caught:
        parse_payload({"trace_info_type": "dict", "trace_info": None})
    assert caught.value.code == "empty_task"


@pytest.mark.parametrize(
    ("item", "trace_type", "path"),
    [
        ([], None, "body"),
        ("text", None, "body"),
        (None, None, "body"),
        ({}, None, "trace_info_type"),
        ({"trace_info_type": "NoSuchTraceInfo", "trace_info": {}}, None, "trace_info_type"),
        ({"trace_info_type": 7, "trace_info": {}}, None, "trace_info_type"),
        ({"trace_info_type": "message", "trace_info": []}, None, "trace_info"),
        ({"trace_info_type": "message"}, None, "trace_info"),
        ({"trace_info_type": "message", "trace_info": {}}, "workflow", "trace_info_type"),
        ({}, "nonsense", "trace_type"),
    ],
)
def test_what_is_no_trace_names_the_place(item: Any, trace_type: str | None, path: str) -> None:
    assert list(problems(item, trace_type)) == [path]


@pytest.mark.parametrize("model", TRACE_TYPES.values())
def test_a_wrong_type_in_any_strict_field_names_the_field_and_not_the_value(model: type[TraceInfo]) -> None:
    short_name = next(name for name, known in TRACE_TYPES.items() if known is model)
    info = REQUIRED.get(short_name, {})
    for name, field in model.model_fields.items():
        if field.annotation is Any:
            continue
        alias = field.validation_alias
        sent = str(alias.choices[0]) if isinstance(alias, AliasChoices) else name
        found = problems({**info, sent: [{"canary": "s3cret"}]}, short_name)
        assert any(path == sent or path.startswith(f"{sent}.") for path in found), (name, found)
        assert "s3cret" not in str(found)


def test_a_wrong_type_deep_inside_names_the_whole_path() -> None:
    node = {"id": "n", "node_type": "agent", "execution_metadata": {"agent_log": [{"metadata": {"started_at": "x"}}]}}
    found = problems({"trace_info_type": "workflow", "trace_info": {"nodes": [node, {"node_type": "llm"}]}})
    assert set(found) == {
        "trace_info.nodes.0.execution_metadata.agent_log.0.metadata.started_at",
        "trace_info.nodes.1",
    }


@pytest.mark.parametrize(
    "time", ["2026-01-02T03:04:05", "2026-01-02T03:04:05.678901", "2026-01-02T03:04:05Z", 1767323045]
)
def test_times_with_and_without_fraction_and_zone_and_in_seconds_are_read(time: Any) -> None:
    start = parse_payload({"start_time": time}, "message").start_time
    assert start is not None
    assert start.replace(tzinfo=None, microsecond=0).isoformat() == "2026-01-02T03:04:05"


@pytest.mark.parametrize("time", ["yesterday", "1969-12-31T23:59:59", "9999-01-01T00:00:00", -5, True, [], 1e30])
def test_times_that_are_none_or_absurd_are_refused(time: Any) -> None:
    assert list(problems({"start_time": time}, "message")) == ["start_time"]


def test_decimals_as_strings_and_nulls_and_empty_strings_are_read() -> None:
    payload = parse_payload(
        {
            "message_data": {"total_price": "0.0001230"},
            "error": "",
            "trace_id": "",
            "message_tokens": "12",
            "end_time": "",
        },
        "message",
    )
    assert isinstance(payload, MessageTraceInfo)
    assert payload.message_data is not None
    assert str(payload.message_data.total_price) == "0.0001230"
    assert (payload.error, payload.trace_id, payload.message_tokens, payload.end_time) == (None, None, 12, None)


@pytest.mark.parametrize("count", [-1, 1.5, "1e3", "one", True, 2**60, float("nan")])
def test_token_counts_must_be_whole_numbers(count: Any) -> None:
    assert list(problems({"total_tokens": count}, "message")) == ["total_tokens"]


def test_difys_misspellings_are_corrected_wherever_they_stand() -> None:
    payload = parse_payload(
        {"conversion_id": "c", "triggered_form": "app-run", "metadata": {"triggered_form": "app-run"}}, "workflow"
    )
    assert isinstance(payload, WorkflowTraceInfo)
    assert (payload.conversation_id, payload.triggered_from) == ("c", "app-run")
    assert payload.metadata == {"triggered_from": "app-run"}


def test_unknown_fields_are_kept() -> None:
    payload = parse_payload({"from_the_future": {"a": [1]}}, "message")
    assert payload.model_extra == {"from_the_future": {"a": [1]}}


def test_the_payload_as_it_was_sent_is_kept_for_content_ids() -> None:
    info = {"conversion_id": "c", "inputs": "x"}
    assert parse_payload({"app_id": "a", "trace_info_type": "message", "trace_info": info}).raw == info


def test_the_console_apis_node_executions_are_read() -> None:
    node = {
        "id": "n1",
        "index": 1,
        "node_id": "17000",
        "node_type": "llm",
        "execution_metadata": {"total_tokens": 5, "total_price": "0.1"},
        "created_at": 1767323045,
        "finished_at": 1767323047,
        "created_by_role": "account",
        "extras": {},
    }
    payload = parse_payload({"nodes": [node]}, "workflow")
    assert isinstance(payload, WorkflowTraceInfo)
    assert payload.workflow_node_executions is not None
    row = payload.workflow_node_executions[0]
    assert (row.stable_id, row.execution_metadata.total_tokens) == ("n1", 5)
    assert row.model_extra == {"created_by_role": "account", "extras": {}}
