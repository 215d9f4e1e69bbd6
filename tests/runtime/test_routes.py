"""The HTTP contract, in each of the plugin's three real runtimes."""

import gzip
import json
from typing import Any

import pytest

from demo.conversation import Conversation
from demo.plugin_daemon import Remote, Runtime
from tests.conftest import TOKEN, Plugin, basic, find


def test_a_payload_is_accepted_when_langfuse_has_it(any_plugin: Plugin, conversation: Conversation) -> None:
    reply = any_plugin.post("/traces", conversation.workflow())
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    receipt = reply.json()
    [trace] = receipt["traces"]
    assert (receipt["accepted"], receipt["warnings"], trace["duplicate"]) == (1, [], False)
    assert trace["url"] == f"{any_plugin.langfuse.host}/project/demo/traces/{trace['trace_id']}"
    assert len(any_plugin.langfuse.observations(trace["trace_id"])) == trace["observations"] == 21


def test_a_bare_payload_on_the_route_of_its_type_gives_the_same_trace(
    any_plugin: Plugin, conversation: Conversation
) -> None:
    envelope = conversation.message()
    first = any_plugin.post("/traces", envelope).json()["traces"][0]
    bare = any_plugin.post("/traces/message", envelope["trace_info"]).json()["traces"][0]
    assert (bare["trace_id"], bare["duplicate"]) == (first["trace_id"], True)


def test_batches_ndjson_and_gzip_all_give_the_same_traces(plugin: Plugin, conversation: Conversation) -> None:
    envelopes = conversation.envelopes()
    ndjson = "\n".join(json.dumps(envelope) for envelope in envelopes).encode()
    sendings: list[dict[str, Any]] = [
        {"body": json.dumps(envelopes).encode()},
        {"body": ndjson, "headers": {"Content-Type": "application/x-ndjson"}},
        {"body": gzip.compress(json.dumps(envelopes).encode()), "headers": {"Content-Encoding": "gzip"}},
        *({"payload": envelope} for envelope in envelopes),
        *({"payload": envelope} for envelope in reversed(envelopes)),
    ]
    read_back = []
    for number, sending in enumerate(sendings[:3]):
        plugin.langfuse.reset()
        reply = plugin.post("/traces", **sending, settings=plugin.settings(release=f"r{number}"))
        assert reply.status == 200, reply.body
        assert (reply.json()["accepted"], len(reply.json()["traces"])) == (7, 3)
        read_back.append(without_release(plugin))
    for number, order in enumerate((sendings[3:10], sendings[10:])):
        plugin.langfuse.reset()
        for sending in order:
            assert plugin.post("/traces", **sending, settings=plugin.settings(release=f"s{number}")).status == 200
        read_back.append(without_release(plugin))
    assert len(read_back[0]) == 28
    assert all(rows == read_back[0] for rows in read_back)


def without_release(plugin: Plugin) -> list[dict[str, Any]]:
    return [{**row, "release": None} for row in plugin.langfuse.all_observations()]


def test_payloads_of_one_trace_go_up_in_one_request(plugin: Plugin, conversation: Conversation) -> None:
    plugin.post("/traces", conversation.envelopes())
    assert len([r for r in plugin.langfuse.requests() if r["path"].endswith("/otel/v1/traces")]) == 3


def test_a_mixed_batch_is_answered_item_by_item(any_plugin: Plugin, conversation: Conversation) -> None:
    batch = [conversation.message(), conversation.tool(), {"trace_info_type": "nonsense"}, conversation.workflow()]
    reply = any_plugin.post("/traces", batch)
    assert reply.status == 207
    answer = reply.json()
    assert answer["accepted"] == 3
    assert [result["status"] for result in answer["results"]] == [200, 200, 422, 200]
    assert answer["results"][2]["error"]["details"][0]["path"] == "trace_info_type"
    assert len(any_plugin.langfuse.all_observations()) == 2 + 1 + 21


def test_a_batch_of_which_nothing_is_accepted_is_no_success(plugin: Plugin) -> None:
    reply = plugin.post("/traces", [{}, {"trace_info_type": "dict", "trace_info": None}])
    assert (reply.status, reply.json()["accepted"]) == (422, 0)
    assert [result["error"]["code"] for result in reply.json()["results"]] == ["not_a_trace", "empty_task"]


def test_one_failed_delivery_leaves_the_others_of_a_batch(plugin: Plugin, conversation: Conversation) -> None:
    plugin.langfuse.fail({"status": 400})
    reply = plugin.post("/traces", [conversation.message(), conversation.generate_name()])
    assert reply.status == 207
    assert sorted(result["status"] for result in reply.json()["results"]) == [200, 502]


def test_sending_again_is_answered_from_memory(any_plugin: Plugin, conversation: Conversation) -> None:
    first = any_plugin.post("/traces", conversation.tool()).json()
    sent = len(any_plugin.langfuse.requests())
    second = any_plugin.post("/traces", conversation.tool()).json()
    assert [reply["traces"][0]["duplicate"] for reply in (first, second)] == [False, True]
    assert len(any_plugin.langfuse.requests()) == sent


def test_the_endpoints_labels_are_on_every_observation(plugin: Plugin, conversation: Conversation) -> None:
    rows = plugin.observe(conversation.workflow(), environment="staging", release="7", tags="beta, eu")
    assert {(row["environment"], row["release"], tuple(row["tags"])) for row in rows} == {
        ("staging", "7", ("message", "workflow", "beta", "eu"))
    }


def test_langfuse_never_has_to_guess_tokens(plugin: Plugin, conversation: Conversation) -> None:
    plugin.post("/traces", conversation.envelopes())
    assert not any(row["usageInvented"] for row in plugin.langfuse.all_observations())


def test_a_payload_without_times_is_accepted_with_a_warning(plugin: Plugin) -> None:
    reply = plugin.post("/traces/prompt_generation", {"outputs": "You are", "latency": 1})
    assert reply.status == 200
    assert "time of arrival" in reply.json()["warnings"][0]


def test_preview_shows_everything_and_sends_nothing(any_plugin: Plugin, conversation: Conversation) -> None:
    reply = any_plugin.post("/preview", conversation.workflow())
    assert reply.status == 200
    [trace] = reply.json()["traces"]
    assert len(trace["observations"]) == 21
    answer = next(each for each in trace["observations"] if each["name"] == "Write the answer")
    assert answer["completion_start_time"] == "2026-11-02T09:31:08.710Z"
    assert any_plugin.langfuse.requests() == []


def test_preview_names_the_items_it_cannot_show(plugin: Plugin, conversation: Conversation) -> None:
    reply = plugin.post("/preview", [conversation.tool(), {}])
    assert (reply.status, len(reply.json()["traces"])) == (207, 1)
    assert reply.json()["errors"][0]["item"] == 1
    assert plugin.post("/preview", {}).status == 422


def test_a_preview_of_megabytes_does_not_kill_the_plugin(any_plugin: Plugin) -> None:
    # Dify's daemon kills a plugin that writes a line of over 5 MiB, and a body doubles as hex.
    payload = {"workflow_run_id": "r", "start_time": "2026-01-02T03:04:05", "inputs": "x" * 5_000_000}
    reply = any_plugin.post("/preview/", payload)
    assert reply.status == 404
    reply = any_plugin.post("/preview", {"trace_info_type": "workflow", "trace_info": payload})
    [observation] = reply.json()["traces"][0]["observations"]
    assert len(observation["input"]) > 3_000_000
    assert observation["metadata"]["truncated"] == [{"path": "input", "bytes": 5_000_000}]
    assert any_plugin.get("/health").status == 200


def test_health_names_the_project_and_the_server(any_plugin: Plugin) -> None:
    reply = any_plugin.get("/health")
    assert reply.status == 200
    assert reply.json()["project"] == {"id": "demo", "name": "Demo project"}
    assert reply.json()["langfuse"] == {"host": any_plugin.langfuse.host, "version": "4.16.0"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret_key": ""}, "invalid_settings"),
        ({"public_key": None}, "invalid_settings"),
        ({"host": "not a host"}, "invalid_settings"),
        ({"timezone": "Mars"}, "invalid_settings"),
        ({"host": "http://127.0.0.1:9"}, "unreachable"),
    ],
)
def test_health_with_bad_settings_is_503_and_says_which(plugin: Plugin, change: dict[str, Any], code: str) -> None:
    reply = plugin.get("/health", settings=plugin.settings(**change))
    assert (reply.status, reply.json()["error"]["code"]) == (503, code)
    if code == "invalid_settings":
        assert [detail["path"] for detail in reply.json()["error"]["details"]] == [f"settings.{next(iter(change))}"]


def test_health_with_keys_of_another_region_is_503_and_says_so(plugin: Plugin) -> None:
    headers = basic("pk-lf-demo", "sk-lf-elsewhere")
    settings = plugin.settings(secret_key="sk-lf-elsewhere")
    reply = plugin.runtime.request("GET", "/health", headers=headers, settings=settings)
    assert (reply.status, reply.json()["error"]["code"]) == (503, "wrong_keys")
    assert "region" in reply.json()["error"]["message"]


def test_settings_that_cannot_work_are_a_clear_4xx_for_senders(plugin: Plugin, conversation: Conversation) -> None:
    for change in ({"secret_key": ""}, {"host": "x"}, {"ingest_token": "short"}, {"trace_names": "odd"}):
        reply = plugin.post("/traces", conversation.tool(), settings=plugin.settings(**change))
        assert (reply.status, reply.json()["error"]["code"]) == (422, "invalid_settings")
        assert reply.json()["error"]["details"][0]["path"] == f"settings.{next(iter(change))}"


@pytest.mark.parametrize("path", ["/traces", "/traces/tool", "/preview"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer sk-lf-demo"},
        {"Authorization": "Bearer wrong-token-of-16-chars"},
        {"Authorization": "Digest username=x"},
        basic("pk-lf-demo", "sk-lf-other"),
        basic("pk-lf-other", "sk-lf-demo"),
        basic("pk-lf-demo", ""),
        basic("", "sk-lf-demo"),
        basic("", TOKEN),
        basic("pk-lf-demo", "sk-lf-dem\u00f6"),
    ],
)
def test_whoever_does_not_know_the_keys_is_not_let_in(
    plugin: Plugin, conversation: Conversation, path: str, headers: dict[str, str]
) -> None:
    body = json.dumps(conversation.tool()).encode()
    reply = plugin.runtime.request("POST", path, headers=headers, body=body, settings=plugin.settings())
    assert (reply.status, reply.json()["error"]["code"]) == (401, "unauthorized")
    assert reply.headers["WWW-Authenticate"].startswith("Basic")
    assert plugin.langfuse.requests() == []


@pytest.mark.parametrize(
    "headers", [basic("pk-lf-demo", "sk-lf-demo"), basic("pk-lf-demo", TOKEN), {"Authorization": f"Bearer {TOKEN}"}]
)
def test_the_keys_and_the_ingest_token_let_in(
    any_plugin: Plugin, conversation: Conversation, headers: dict[str, str]
) -> None:
    body = json.dumps(conversation.tool()).encode()
    reply = any_plugin.runtime.request("POST", "/traces", headers=headers, body=body, settings=any_plugin.settings())
    assert reply.status == 200


def test_without_an_ingest_token_an_empty_one_does_not_let_in(plugin: Plugin, conversation: Conversation) -> None:
    settings = plugin.settings(ingest_token="")
    for headers in ({"Authorization": "Bearer "}, basic("pk-lf-demo", "")):
        body = json.dumps(conversation.tool()).encode()
        assert plugin.runtime.request("POST", "/traces", headers=headers, body=body, settings=settings).status == 401


@pytest.mark.parametrize("status", [429, 503])
def test_when_langfuse_asks_to_wait_the_sender_is_told_how_long(
    any_plugin: Plugin, conversation: Conversation, status: int
) -> None:
    any_plugin.langfuse.fail({"status": status, "headers": {"Retry-After": "90"}})
    reply = any_plugin.post("/traces", conversation.tool())
    assert (reply.status, reply.headers["Retry-After"]) == (status, "90")
    assert reply.json()["error"]["retryable"] is True


def test_what_langfuse_refuses_is_502_and_final(any_plugin: Plugin, conversation: Conversation) -> None:
    any_plugin.langfuse.fail({"status": 200, "body": "<html>", "type": "text/html"})
    reply = any_plugin.post("/traces", conversation.tool())
    assert (reply.status, reply.json()["error"]["code"]) == (502, "wrong_host")
    assert reply.json()["error"]["retryable"] is False


def test_one_observation_that_is_too_large_is_413(plugin: Plugin, conversation: Conversation) -> None:
    plugin.langfuse.fail({"status": 413})
    assert plugin.post("/traces", conversation.tool()).status == 413


def test_the_debug_declaration_is_what_the_package_says(remote_runtime: Runtime) -> None:
    assert isinstance(remote_runtime, Remote)
    declared = remote_runtime.declarations
    assert declared["manifest_declaration"]["name"] == "langfuse_tracing"
    [group] = declared["endpoint_declaration"]
    assert [(each["method"], each["path"]) for each in group["endpoints"]] == [
        ("POST", "/traces"),
        ("POST", "/traces/<trace_type>"),
        ("POST", "/preview"),
        ("GET", "/health"),
        ("GET", "/buffer"),
        ("POST", "/buffer/drain"),
        ("POST", "/buffer/replay"),
        ("POST", "/buffer/drop"),
        ("GET", "/api/public/projects"),
        ("GET", "/api/public/health"),
        ("POST", "/api/public/ingestion"),
        ("POST", "/api/public/otel/v1/traces"),
        ("GET", "/project/<path:page>"),
    ]
    assert {each["name"] for each in group["settings"] if each["required"]} == {"secret_key", "public_key", "host"}
    assert {each["name"] for each in group["settings"] if each["type"] == "secret-input"} == {
        "secret_key", "ingest_token"
    }  # fmt: skip
    assert set(remote_runtime.assets) == {"icon.svg", "icon-dark.svg"}


def test_two_workspaces_in_one_process_never_meet(plugin: Plugin, conversation: Conversation) -> None:
    other = Plugin(plugin.runtime, plugin.langfuse.other_project(), release=plugin.release)
    for sender, project in ((plugin, "demo"), (other, "other")):
        reply = sender.post("/traces", conversation.message())
        [trace] = reply.json()["traces"]
        assert (f"/project/{project}/" in trace["url"], trace["duplicate"]) == (True, False)
        assert find(sender.langfuse.observations(trace["trace_id"]), "llm")


def test_logs_hold_no_content_and_no_credential(any_plugin: Plugin, conversation: Conversation) -> None:
    any_plugin.langfuse.fail({"status": 400, "body": {"error": "C4NARY upstream"}})
    tool = conversation.tool()
    tool["trace_info"]["tool_inputs"] = "C4NARY"
    any_plugin.post("/traces", tool)
    any_plugin.post("/traces", {"trace_info_type": "tool", "trace_info": {"tool_name": "x", "time_cost": "C4NARY"}})
    any_plugin.post("/traces", body=b'{"C4NARY')
    written = "".join(any_plugin.runtime.output)
    assert "/traces: rejected (502)" in written
    assert "trace_info.time_cost" in written
    assert "C4NARY" not in written
    assert "sk-lf-demo" not in written
    assert TOKEN not in written
