"""The buffer through the real runtimes: what was answered 202 arrives, whatever happens in between."""

import base64
import json
import uuid
from typing import Any

import pytest

from demo.conversation import Conversation
from demo.langfuse import StandInProcess
from demo.plugin_daemon import Local, Runtime
from tests.conftest import Plugin

AWAY = {"status": 503, "headers": {"Retry-After": "120"}}


def away(plugin: Plugin, times: int = 1) -> None:
    plugin.langfuse.reset()
    plugin.langfuse.fail(*[AWAY] * times)


def on(plugin: Plugin, **more: Any) -> dict[str, Any]:
    return plugin.settings(buffer="on", **more)


@pytest.fixture(autouse=True)
def _an_endpoint_of_its_own(local_runtime: Runtime, remote_runtime: Runtime, serverless_runtime: Runtime) -> None:
    for runtime in (local_runtime, remote_runtime, serverless_runtime):
        runtime.storage.clear()
        runtime.endpoint_id = str(uuid.uuid4())


def test_what_langfuse_cannot_take_now_is_stored_and_delivered_by_the_next_request(
    any_plugin: Plugin, conversation: Conversation
) -> None:
    away(any_plugin)
    reply = any_plugin.post("/traces", conversation.workflow(), settings=on(any_plugin))
    assert reply.status == 202
    [entry] = reply.json()["traces"]
    assert (entry["buffered"], entry["observations"]) == (True, 21)
    assert any_plugin.langfuse.all_observations() == []
    assert any_plugin.post("/traces", conversation.tool(), settings=on(any_plugin)).status == 200
    assert len(any_plugin.langfuse.all_observations()) == 22
    status = any_plugin.get("/buffer", settings=on(any_plugin)).json()
    assert (status["count"], status["bytes"], status["oldest_age_seconds"]) == (0, 0, None)


def test_a_health_check_delivers_what_is_stored(plugin: Plugin, conversation: Conversation) -> None:
    away(plugin)
    assert plugin.post("/traces", conversation.tool(), settings=on(plugin)).status == 202
    assert plugin.get("/health", settings=on(plugin)).status == 200
    assert len(plugin.langfuse.all_observations()) == 1


def test_drain_delivers_and_status_tells(plugin: Plugin, conversation: Conversation) -> None:
    away(plugin, 3)
    assert plugin.post("/traces", conversation.message(), settings=on(plugin)).status == 202
    assert plugin.post("/traces", conversation.tool(), settings=on(plugin)).status == 202
    status = plugin.get("/buffer", settings=on(plugin)).json()
    assert (status["count"], status["last_error"], status["dead_letters"]) == (2, "unavailable", [])
    assert status["bytes"] > 0
    assert status["oldest_age_seconds"] >= 0
    assert plugin.post("/buffer/drain", settings=on(plugin)).json()["delivered"] == 0  # still away
    answer = plugin.post("/buffer/drain", settings=on(plugin)).json()
    assert (answer["delivered"], answer["count"]) == (2, 0)
    assert len(plugin.langfuse.all_observations()) == 3


def test_the_legacy_route_and_otlp_are_buffered_too(plugin: Plugin) -> None:
    away(plugin, 2)
    event = {"id": "e", "type": "span-create", "body": {"id": "s", "traceId": "t", "name": "step"}}
    reply = plugin.post("/api/public/ingestion", {"batch": [event]}, settings=on(plugin))
    assert (reply.status, len(reply.json()["successes"])) == (207, 1)
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00000000000000aa", "name": "otlp",
            "startTimeUnixNano": "1767323045000000000"}  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    headers = {"X-Langfuse-Sdk-Name": "python", "X-Langfuse-Sdk-Version": "5.0.4"}
    assert plugin.post("/api/public/otel/v1/traces", body, settings=on(plugin), headers=headers).status == 200
    assert plugin.langfuse.all_observations() == []
    assert plugin.post("/buffer/drain", settings=on(plugin)).json()["delivered"] == 2
    assert {row["name"] for row in plugin.langfuse.all_observations()} == {"step", "otlp"}
    assert plugin.langfuse.requests()[-1]["headers"]["x-langfuse-sdk-version"] == "5.0.4"


def test_what_langfuse_refuses_for_good_is_a_dead_letter(plugin: Plugin, conversation: Conversation) -> None:
    away(plugin)
    plugin.post("/traces", conversation.tool(), settings=on(plugin))
    plugin.langfuse.fail({"status": 400})
    status = plugin.post("/buffer/drain", settings=on(plugin)).json()
    assert (status["delivered"], status["count"], len(status["dead_letters"])) == (0, 0, 1)
    assert status["dead_letters"][0]["reason"] == "rejected"
    assert plugin.post("/buffer/replay", settings=on(plugin)).json()["count"] == 1
    assert plugin.post("/buffer/drain", settings=on(plugin)).json()["delivered"] == 1
    assert len(plugin.langfuse.all_observations()) == 1
    away(plugin)
    plugin.post("/traces", conversation.moderation(), settings=on(plugin))
    plugin.langfuse.fail({"status": 400})
    plugin.post("/buffer/drain", settings=on(plugin))
    answer = plugin.post("/buffer/drop", settings=on(plugin)).json()
    assert (answer["dropped"], answer["dead_letters"]) == (1, [])


def test_with_the_buffer_off_the_sender_is_told_to_send_again(plugin: Plugin, conversation: Conversation) -> None:
    away(plugin)
    assert plugin.post("/traces", conversation.tool()).status == 503
    assert plugin.runtime.storage == {}


def test_a_full_storage_is_503_and_never_a_false_202(plugin: Plugin, conversation: Conversation) -> None:
    plugin.runtime.storage["other"] = b"x" * 11_000_000
    away(plugin)
    reply = plugin.post("/traces", conversation.tool(), settings=on(plugin))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "120")


def test_what_is_stored_is_masked_and_holds_no_key(plugin: Plugin) -> None:
    away(plugin)
    payload = {"message_id": "m", "tool_name": "t", "tool_inputs": "ana@example.com", "start_time": 1767323045}
    settings = on(plugin, masking="personal")
    assert plugin.post("/traces/tool", payload, settings=settings).status == 202
    import zlib

    stored = b"".join(plugin.runtime.storage.values())
    for value in plugin.runtime.storage.values():
        if b"\n" in value:
            stored += zlib.decompress(value.partition(b"\n")[2], wbits=31)
    assert b"[masked: email]" in stored
    for secret in (b"ana@example.com", b"sk-lf-demo", base64.b64encode(b"pk-lf-demo:sk-lf-demo")):
        assert secret not in stored


def test_after_a_sigkill_another_process_delivers_what_was_promised(
    langfuse: StandInProcess, conversation: Conversation
) -> None:
    storage: dict[str, bytes] = {}
    promised = 0
    with Local(langfuse.settings(), storage=storage) as first:
        plugin = Plugin(first, langfuse)
        away(plugin, 10)
        for envelope in conversation.envelopes():
            promised += plugin.post("/traces", envelope, settings=on(plugin)).status == 202
    assert promised == 7
    langfuse.reset()
    with Local(langfuse.settings(), storage=storage) as second:
        plugin = Plugin(second, langfuse)
        assert plugin.post("/buffer/drain", settings=on(plugin)).json()["delivered"] == 7
    assert len(langfuse.all_observations()) == 28


def test_two_endpoints_share_a_storage_and_never_an_item(langfuse: StandInProcess, conversation: Conversation) -> None:
    storage: dict[str, bytes] = {}
    other_account = langfuse.other_project()
    with (
        Local(langfuse.settings(), storage=storage, endpoint_id="one") as first,
        Local(other_account.settings(), storage=storage, endpoint_id="two") as second,
    ):
        one, two = Plugin(first, langfuse), Plugin(second, other_account)
        away(one, 1)
        assert one.post("/traces", conversation.tool(), settings=on(one)).status == 202
        assert two.post("/buffer/drain", settings=on(two)).json()["delivered"] == 0
        assert one.post("/buffer/drain", settings=on(one)).json()["delivered"] == 1
    assert len(langfuse.all_observations()) == 1
    assert other_account.all_observations() == []


def test_the_buffers_routes_ask_for_the_keys(plugin: Plugin) -> None:
    for method, path in (
        ("GET", "/buffer"),
        ("POST", "/buffer/drain"),
        ("POST", "/buffer/replay"),
        ("POST", "/buffer/drop"),
    ):
        assert plugin.runtime.request(method, path, settings=on(plugin)).status == 401


def test_a_mixed_batch_tells_stored_from_delivered(plugin: Plugin, conversation: Conversation) -> None:
    away(plugin)
    reply = plugin.post("/traces", [conversation.message(), {}, conversation.generate_name()], settings=on(plugin))
    assert reply.status == 207
    assert sorted(result["status"] for result in reply.json()["results"]) == [200, 202, 422]
    assert json.loads(reply.body)["accepted"] == 2
