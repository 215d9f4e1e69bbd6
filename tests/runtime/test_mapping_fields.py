"""Every row of the product's field list is found at Langfuse, after a trip through the real runtime.

One payload a type has a value of its own in every field, so that a field found in the wrong place shows.
"""

import json
from typing import Any

import pytest

from tests.conftest import Plugin, find

MESSAGE = "b0000000-0000-4000-8000-000000000010"
RUN = "f0000000-0000-4000-8000-000000000099"
CONVERSATION = "c0000000-0000-4000-8000-000000000020"
TIMES = {"start_time": "2026-01-02T03:04:05.100000", "end_time": "2026-01-02T03:04:07.600000"}
START, END = "2026-01-02T03:04:05.100Z", "2026-01-02T03:04:07.600Z"

MESSAGE_DATA = {
    "id": MESSAGE,
    "conversation_id": CONVERSATION,
    "model_id": "model-of-the-message",
    "inputs": {"lang": "en"},
    "query": "the query",
    "total_price": "0.0000117",
    "message": [{"role": "user", "text": "prompt", "files": []}],
    "answer": "the answer",
    "status": "normal",
    "error": None,
    "message_metadata": {"usage": {"prompt_price": "0.0000063", "completion_price": "0.0000054", "currency": "USD"}},
    "from_source": "api",
    "from_end_user_id": "end-user",
    "from_account_id": None,
    "created_at": "2026-01-02T03:04:05",
    "updated_at": "2026-01-02T03:04:07",
    "agent_based": False,
}
SHARED = {
    "message_id": MESSAGE,
    "message_data": MESSAGE_DATA,
    "user_session_id": "the-user",
    "workflow_run_id": RUN,
    "metadata": {
        "ls_provider": "provider",
        "ls_model_name": "model-of-the-metadata",
        "status": "normal",
        "from_end_user_id": "end-user",
        "from_account_id": "account",
        "agent_based": False,
        "from_source": "api",
    },
    **TIMES,
}

WORKFLOW = {
    "workflow_run_id": RUN,
    "workflow_app_log_id": "log-id",
    "user_session_id": "the-user",
    "workflow_run_elapsed_time": 2.5,
    "workflow_run_inputs": {"a": 1},
    "workflow_run_outputs": {"b": 2},
    "total_tokens": 51,
    "error": "the run failed",
    "conversation_id": CONVERSATION,
    "query": "the query",
    "file_list": ["https://files.example/a.png"],
    "triggered_from": "app-run",
    "workflow_run_status": "failed",
    "workflow_run_version": "2026-01-01",
    "workflow_id": "workflow-id",
    "tenant_id": "tenant-id",
    "message_id": None,
    "metadata": {},
    "workflow_node_executions": [
        {
            "id": "node-1",
            "node_id": "1",
            "node_type": "llm",
            "title": "LLM",
            "status": "succeeded",
            "created_at": "2026-01-02T03:04:06",
            "elapsed_time": 1.0,
            "process_data": {
                "model_name": "gpt-x",
                "usage": {"prompt_tokens": 42, "completion_tokens": 9, "total_tokens": 51},
            },
            "execution_metadata": {"total_tokens": 51},
        }
    ],
    **TIMES,
}


def rows_of(plugin: Plugin, trace_type: str, payload: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
    reply = plugin.post(f"/traces/{trace_type}", payload, settings=plugin.settings(**settings))
    assert reply.status == 200, reply.body
    return plugin.langfuse.observations(reply.json()["traces"][0]["trace_id"])


def assert_metadata(row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = {name: row["metadata"].get(name, "absent") for name in expected}
    assert found == expected


def test_workflow_fields_arrive(plugin: Plugin) -> None:
    rows = rows_of(plugin, "workflow", WORKFLOW)
    root, node = find(rows, "workflow"), find(rows, "LLM")
    assert {row["traceId"] for row in rows} == {RUN.replace("-", "")}
    for row in rows:  # trace metadata is carried by every observation of the trace
        assert_metadata(row, {"workflow_run_id": RUN, "workflow_app_log_id": "log-id"})
        assert (row["userId"], row["sessionId"], row["traceName"]) == ("the-user", CONVERSATION, "workflow")
        assert row["version"] == "2026-01-01"
    assert (root["parentObservationId"], root["type"]) == (None, "chain")
    assert (root["startTime"], root["endTime"]) == (START, END)
    assert (json.loads(root["input"]), json.loads(root["output"])) == ({"a": 1}, {"b": 2})
    assert (root["level"], root["statusMessage"]) == ("ERROR", "the run failed")
    assert_metadata(
        root,
        {
            "elapsed_time": 2.5,
            "total_tokens": 51,
            "error": "the run failed",
            "conversation_id": CONVERSATION,
            "query": "the query",
            "file_list": ["https://files.example/a.png"],
            "triggered_from": "app-run",
            "status": "failed",
            "version": "2026-01-01",
            "workflow_id": "workflow-id",
            "tenant_id": "tenant-id",
        },
    )
    assert node["usageDetails"] == {"input": 42, "output": 9, "total": 51}
    assert node["parentObservationId"] == root["id"]
    assert root["usageDetails"] == {}


def test_workflow_with_a_message_carries_its_id(plugin: Plugin) -> None:
    rows = rows_of(plugin, "workflow", WORKFLOW | {"message_id": MESSAGE})
    assert {row["traceId"] for row in rows} == {MESSAGE.replace("-", "")}
    for name in ("message", "workflow"):
        assert_metadata(find(rows, name), {"message_id": MESSAGE, "workflow_run_id": RUN})


def test_the_documentations_own_spellings_are_taken(plugin: Plugin) -> None:
    renamed = {
        "conversion_id": "conversation_id",
        "triggered_form": "triggered_from",
        "inputs": "workflow_run_inputs",
        "outputs": "workflow_run_outputs",
        "status": "workflow_run_status",
        "version": "workflow_run_version",
        "elapsed_time": "workflow_run_elapsed_time",
        "nodes": "workflow_node_executions",
    }
    payload = {name: value for name, value in WORKFLOW.items() if name not in renamed.values()}
    rows = rows_of(plugin, "workflow", payload | {typo: WORKFLOW[name] for typo, name in renamed.items()})
    root = find(rows, "workflow")
    expected = {"conversation_id": CONVERSATION, "triggered_from": "app-run", "status": "failed", "elapsed_time": 2.5}
    assert_metadata(root, expected)
    assert (json.loads(root["input"]), json.loads(root["output"])) == ({"a": 1}, {"b": 2})
    assert (root["sessionId"], root["version"], len(rows)) == (CONVERSATION, "2026-01-01", 2)
    assert not [name for name in root["metadata"] if name.startswith("dify_extra")]


def test_trace_names_with_id_follow_difys_documentation(plugin: Plugin) -> None:
    rows = rows_of(plugin, "workflow", WORKFLOW, trace_names="with-id")
    assert {row["traceName"] for row in rows} == {f"workflow_{RUN}"}
    rows = rows_of(plugin, "message", SHARED | {"message_tokens": 1}, trace_names="with-id")
    assert {row["traceName"] for row in rows} == {f"message_{MESSAGE}"}


def test_message_fields_arrive(plugin: Plugin) -> None:
    payload = SHARED | {
        "inputs": MESSAGE_DATA["message"],
        "outputs": "the answer",
        "message_tokens": 42,
        "answer_tokens": 9,
        "total_tokens": 51,
        "error": "the model failed",
        "conversation_mode": "chat",
        "conversation_model": "chat",
        "conversation_id": CONVERSATION,
        "file_list": ["https://files.example/a.png"],
        "message_file_data": {"id": "file"},
        "metadata": {**SHARED["metadata"], "status": "error", "conversation_id": CONVERSATION},  # type: ignore[dict-item]
    }
    rows = rows_of(plugin, "message", payload)
    root, llm = find(rows, "message"), find(rows, "llm")
    assert {row["traceId"] for row in rows} == {MESSAGE.replace("-", "")}
    assert (root["type"], llm["type"]) == ("chain", "generation")
    for row in rows:
        assert (row["userId"], row["sessionId"], row["traceName"]) == ("the-user", CONVERSATION, "message")
        assert row["tags"] == ["message", "chat"]
        assert (row["startTime"], row["endTime"]) == (START, END)
        assert (row["level"], row["statusMessage"]) == ("ERROR", "the model failed")
        assert json.loads(row["input"]) == [{"role": "user", "content": "prompt"}]
        assert row["output"] == "the answer"
        assert_metadata(
            row,
            {
                "message_id": MESSAGE,
                "conversation_id": CONVERSATION,
                "status": "error",
                "conversation_model": "chat",
                "file_list": ["https://files.example/a.png"],
                "message_file_data.id": "file",
                "message_data.status": "normal",
                "message_data.query": "the query",
                "message_data.from_source": "api",
                "message_data.answer": "absent",
                "message_data.message": "absent",
                "ls_provider": "provider",
                "ls_model_name": "model-of-the-metadata",
                "from_end_user_id": "end-user",
                "from_account_id": "account",
                "agent_based": False,
                "workflow_run_id": RUN,
                "from_source": "api",
            },
        )
    assert llm["usageDetails"] == {"input": 42, "output": 9, "total": 51}
    assert llm["costDetails"] == pytest.approx({"input": 0.0000063, "output": 0.0000054, "total": 0.0000117})
    assert llm["model"] == "model-of-the-message"
    assert root["usageDetails"] == {}


def test_the_model_of_a_message_may_be_in_its_metadata(plugin: Plugin) -> None:
    rows = rows_of(plugin, "message", SHARED | {"message_data": {**MESSAGE_DATA, "model_id": None}})
    assert find(rows, "llm")["model"] == "model-of-the-metadata"


def test_moderation_fields_arrive(plugin: Plugin) -> None:
    payload = SHARED | {
        "user_session_id": None,
        "user_id": "the-user",
        "workflow_app_log_id": "log-id",
        "inputs": {"q": "hi"},
        "flagged": True,
        "action": "direct_output",
        "preset_response": "Sorry.",
        "query": "the query",
    }
    row = find(rows_of(plugin, "moderation", payload), "moderation")
    assert row["type"] == "guardrail"
    assert row["traceId"] == MESSAGE.replace("-", "")
    assert row["parentObservationId"] is not None
    assert row["userId"] == "the-user"
    assert json.loads(row["input"]) == {"q": "hi"}
    assert json.loads(row["output"]) == {"action": "direct_output", "flagged": True, "preset_response": "Sorry."}
    assert (row["startTime"], row["endTime"], row["level"]) == (START, END, "WARNING")
    assert row["tags"] == ["message", "moderation"]
    assert_metadata(
        row,
        {
            "message_id": MESSAGE,
            "workflow_app_log_id": "log-id",
            "action": "direct_output",
            "preset_response": "Sorry.",
            "query": "the query",
            "message_data.query": "the query",
        },
    )


def test_suggested_question_fields_arrive(plugin: Plugin) -> None:
    payload = SHARED | {
        "inputs": MESSAGE_DATA["message"],
        "suggested_question": ["Is it free?", "Who made it?"],
        "total_tokens": 51,
        "status": "error",
        "error": "no model",
        "level": "error",
        "status_message": "the status message",
        "from_account_id": "account",
        "from_end_user_id": "end-user",
        "agent_based": False,
        "from_source": "api",
        "model_provider": "provider",
        "model_id": "gpt-x",
    }
    row = find(rows_of(plugin, "suggested_question", payload), "suggested_question")
    assert (row["type"], row["model"]) == ("generation", "gpt-x")
    assert row["traceId"] == MESSAGE.replace("-", "")
    assert row["parentObservationId"] is not None
    assert json.loads(row["input"]) == [{"role": "user", "content": "prompt"}]
    assert json.loads(row["output"]) == ["Is it free?", "Who made it?"]
    assert (row["startTime"], row["endTime"]) == (START, END)
    assert (row["level"], row["statusMessage"]) == ("ERROR", "no model")
    assert row["tags"] == ["message", "suggested_question"]
    assert (row["usageDetails"], row["usageInvented"]) == ({"input": 0, "output": 0, "total": 0}, False)
    assert_metadata(
        row,
        {
            "message_id": MESSAGE,
            "total_tokens": 51,
            "usage_reported": False,
            "status": "error",
            "error": "no model",
            "level": "error",
            "status_message": "the status message",
            "from_account_id": "account",
            "from_end_user_id": "end-user",
            "agent_based": False,
            "from_source": "api",
            "model_provider": "provider",
            "model_id": "gpt-x",
            "workflow_run_id": RUN,
        },
    )


def test_dataset_retrieval_fields_arrive(plugin: Plugin) -> None:
    payload = SHARED | {
        "inputs": "the query",
        "documents": [{"page_content": "text", "vector": [0.1, 0.2], "metadata": {"score": 0.8}}],
        "embedding_models": {"d1": {"embedding_model": "embed", "embedding_model_provider": "provider"}},
        "error": "index lost",
    }
    row = find(rows_of(plugin, "dataset_retrieval", payload), "dataset_retrieval")
    assert row["type"] == "retriever"
    assert row["traceId"] == MESSAGE.replace("-", "")
    assert row["parentObservationId"] is not None
    assert row["input"] == "the query"
    assert json.loads(row["output"]) == {"documents": [{"page_content": "text", "metadata": {"score": 0.8}}]}
    assert (row["startTime"], row["endTime"]) == (START, END)
    assert (row["level"], row["statusMessage"]) == ("ERROR", "index lost")
    assert row["tags"] == ["message", "dataset_retrieval"]
    assert_metadata(
        row,
        {
            "message_id": MESSAGE,
            "message_data.query": "the query",
            "ls_provider": "provider",
            "ls_model_name": "model-of-the-metadata",
            "status": "normal",
            "from_end_user_id": "end-user",
            "from_account_id": "account",
            "agent_based": False,
            "workflow_run_id": RUN,
            "from_source": "api",
            "embedding_models.d1.embedding_model": "embed",
        },
    )


def test_tool_fields_arrive(plugin: Plugin) -> None:
    payload = SHARED | {
        "end_time": None,
        "tool_name": "weather",
        "tool_inputs": {"city": "Paris"},
        "tool_outputs": "18C",
        "time_cost": 1.5,
        "error": "rate limit",
        "tool_config": {"tool_provider": "weather"},
        "tool_parameters": {"unit": "C"},
        "file_url": "https://files.example/map.png",
        "message_file_id": "file-id",
        "created_by_role": "account",
        "created_user_id": "creator",
    }
    row = find(rows_of(plugin, "tool", payload), "weather")
    assert row["type"] == "tool"
    assert row["traceId"] == MESSAGE.replace("-", "")
    assert row["parentObservationId"] is not None
    assert (json.loads(row["input"]), row["output"]) == ({"city": "Paris"}, "18C")
    assert (row["startTime"], row["endTime"]) == (START, "2026-01-02T03:04:06.600Z")
    assert (row["level"], row["statusMessage"]) == ("ERROR", "rate limit")
    assert row["tags"] == ["message", "tool", "weather"]
    assert_metadata(
        row,
        {
            "message_id": MESSAGE,
            "tool_name": "weather",
            "time_cost": 1.5,
            "error": "rate limit",
            "tool_config.tool_provider": "weather",
            "tool_parameters.unit": "C",
            "file_url": "https://files.example/map.png",
            "message_file_id": "file-id",
            "created_by_role": "account",
            "created_user_id": "creator",
        },
    )


def test_generate_name_fields_arrive(plugin: Plugin) -> None:
    payload = {
        "conversation_id": CONVERSATION,
        "inputs": "Name this",
        "outputs": "A name",
        "metadata": {"conversation_id": CONVERSATION, "tenant_id": "tenant-id"},
        "tenant_id": "tenant-id",
        **TIMES,
    }
    row = find(rows_of(plugin, "generate_name", payload), "generate_conversation_name")
    assert (row["type"], row["parentObservationId"]) == ("generation", None)
    assert row["sessionId"] == CONVERSATION
    assert (row["input"], row["output"]) == ("Name this", "A name")
    assert (row["startTime"], row["endTime"]) == (START, END)
    assert row["tags"] == ["generate_name"]
    assert row["userId"] is None
    assert_metadata(row, {"conversation_id": CONVERSATION, "tenant_id": "tenant-id"})
