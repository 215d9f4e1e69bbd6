"""Whatever is sent gets an answer that names the place, shows nothing, and leaves what is valid beside it."""

import gzip
import json
from typing import Any

import pytest

from demo.conversation import Conversation
from demo.plugin_daemon import BODY_LIMIT
from payloads.trace_info import TRACE_TYPES
from tests.conftest import Plugin

GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (None, {}, 400, "empty_body"),
        (b"   ", {}, 400, "empty_body"),
        (b"[]", {}, 400, "empty_body"),
        (b"C4NARY", {}, 400, "invalid_json"),
        (b'{"trace_info": C4NARY}', {}, 400, "invalid_json"),
        (b'{"a": "\xff C4NARY"}', {}, 400, "invalid_json"),
        (b"C4NARY", GZIP, 400, "invalid_gzip"),
        (gzip.compress(b'{"C4NARY": 1}')[:-4], GZIP, 400, "invalid_gzip"),
        (b"C4NARY", {"Content-Encoding": "br"}, 400, "unsupported_encoding"),
        (b'"' + b"x" * BODY_LIMIT, {}, 413, "body_too_large"),
        (gzip.compress(b"[" + b" " * 50_000_000), GZIP, 413, "body_too_large"),
        (b"[" * 10_000, {}, 400, "invalid_json"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {}, 400, "invalid_json"),
        (b"null", {}, 422, "not_a_trace"),
        (b'"C4NARY"', {}, 422, "not_a_trace"),
        (b"123", {}, 422, "not_a_trace"),
        (b"{}", {}, 422, "not_a_trace"),
        (b'{"trace_info_type":"C4NARY","trace_info":{}}', {}, 422, "not_a_trace"),
        (b'{"trace_info_type":"dict","trace_info":null}', {}, 422, "empty_task"),
        (b'{"trace_info_type":"WorkflowTraceInfo","trace_info":{}}', {}, 422, "not_a_trace"),
        (b'{"trace_info_type":"message","trace_info":{"message_id":{"C4NARY":1}}}', {}, 422, "invalid_payload"),
    ],
)
def test_bad_bodies_get_a_clear_answer(
    any_plugin: Plugin, body: bytes | None, headers: dict[str, str], status: int, code: str
) -> None:
    reply = any_plugin.post("/traces", body=body, headers=headers)
    error = reply.json()["error"]
    assert (reply.status, error["code"], error["retryable"]) == (status, code, False)
    assert error["message"].endswith(".")
    assert b"C4NARY" not in reply.body
    assert any_plugin.langfuse.requests() == []


def test_an_unknown_type_in_the_path_names_the_known_ones(any_plugin: Plugin) -> None:
    reply = any_plugin.post("/traces/nonsense", {})
    assert reply.status == 422
    assert reply.json()["error"]["details"][0]["path"] == "trace_type"
    assert all(name in reply.json()["error"]["message"] for name in TRACE_TYPES)


def test_an_unreadable_third_item_leaves_the_others(plugin: Plugin, conversation: Conversation) -> None:
    good = json.dumps(conversation.tool()).encode()
    other = json.dumps(conversation.moderation()).encode()
    for bad in (b"[" * 10_000 + b"]" * 10_000, b'{"a": "\xff"}', b"{oops}", b"7", b'{"trace_info_type": "tool"}'):
        release = {"settings": plugin.settings(release=f"r{hash(bad)}")}
        reply = plugin.post("/traces", body=b"[" + good + b"," + other + b"," + bad + b"," + good + b"]", **release)
        assert reply.status == 207
        statuses = [result["status"] for result in reply.json()["results"]]
        assert (statuses[:2], statuses[3]) == ([200, 200], 200)
        assert statuses[2] in {400, 422}


def test_content_that_json_readers_choke_on_arrives(plugin: Plugin) -> None:
    content = '{"nan": NaN, "big": 123456789012345678901234567890, "half": "\\ud83d", "nul": "a\\u0000b", "long": "'
    body = (
        '{"trace_info_type":"workflow","trace_info":{"workflow_run_id":"r-odd","start_time":"2026-01-02T03:04:05",'
        '"workflow_run_inputs":' + content + "é" * 1_500_000 + '"}}}'
    )
    reply = plugin.post("/traces", body=body.encode())
    assert reply.status == 200, reply.body
    [row] = plugin.langfuse.observations(reply.json()["traces"][0]["trace_id"])
    arrived = json.loads(row["input"])
    assert len(arrived.pop("long")) == 1_500_000
    assert arrived == {"nan": "NaN", "big": "123456789012345678901234567890", "half": "\ufffd", "nul": "a\u0000b"}


def test_a_string_of_5_mb_arrives_cut_and_says_so(any_plugin: Plugin) -> None:
    payload = {"workflow_run_id": "r-big", "start_time": 1767323045, "workflow_run_inputs": {"long": "é" * 2_500_000}}
    reply = any_plugin.post("/traces/workflow", body=json.dumps(payload, ensure_ascii=False).encode())
    assert reply.status == 200
    [row] = any_plugin.langfuse.observations(reply.json()["traces"][0]["trace_id"])
    assert json.loads(row["input"])["long"].endswith("é... [truncated: 5000000 bytes]")
    assert row["metadata"]["truncated"] == [{"path": "input.long", "bytes": 5_000_000}]


WRONG: list[Any] = [None, True, -1, 10**40, 1.5, "", "C4NARY", [], ["C4NARY"], {}, {"C4NARY": [1]}]


@pytest.mark.parametrize("trace_type", list(TRACE_TYPES))
def test_a_wrong_value_in_any_field_is_answered(plugin: Plugin, trace_type: str) -> None:
    """One batch of every field with every wrong value: each item is accepted or told what is wrong, never a 500."""
    good = {
        "message_id": "m-1",
        "workflow_run_id": "r-1",
        "conversation_id": "c-1",
        "start_time": "2026-01-02T03:04:05",
        "tool_name": "t",
        "node_execution_id": "n-1",
        "node_type": "llm",
    }
    batch = [good | {name: value} for name in TRACE_TYPES[trace_type].model_fields for value in WRONG]
    reply = plugin.post(f"/preview/{trace_type}", batch)
    assert reply.status == 404
    envelopes = [{"trace_info_type": trace_type, "trace_info": item} for item in batch]
    answer = plugin.post("/preview", envelopes).json()
    assert len(answer["traces"]) + len(answer["errors"]) == len(batch)
    assert {error["code"] for error in answer["errors"]} <= {"invalid_payload", "not_a_trace"}
    assert all(error["details"] for error in answer["errors"])
    assert "C4NARY" not in json.dumps(answer["errors"])


def test_a_wrong_value_in_any_field_of_a_node_is_answered(plugin: Plugin) -> None:
    fields = ("id", "node_execution_id", "node_id", "node_type", "title", "index", "inputs", "process_data", "outputs",
              "status", "error", "elapsed_time", "created_at", "finished_at", "execution_metadata", "metadata",
              "predecessor_node_id", "retry_index")  # fmt: skip
    inner = ("total_tokens", "total_price", "currency", "iteration_id", "iteration_index", "loop_id", "loop_index",
             "agent_log", "tool_info")  # fmt: skip
    row: dict[str, Any] = {"id": "n", "node_type": "agent", "created_at": 1767323045}
    rows = [row | {name: value} for name in fields for value in WRONG]
    rows += [row | {"execution_metadata": {name: value}} for name in inner for value in WRONG]
    rows += [row | {"execution_metadata": {"agent_log": [value]}} for value in WRONG]
    batch = [
        {"trace_info_type": "workflow", "trace_info": {"workflow_run_id": "r", "nodes": [one]}}
        for one in (*rows, *WRONG)
    ]
    answer = plugin.post("/preview", batch).json()
    assert len(answer["traces"]) + len(answer["errors"]) == len(batch)
    assert {error["code"] for error in answer["errors"]} == {"invalid_payload"}
    assert "C4NARY" not in json.dumps(answer["errors"])
