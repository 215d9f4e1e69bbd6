"""Masking, withheld content and sampling on every route, and canaries on every error path of all three runtimes."""

import gzip
import json
from typing import Any

import pytest

from demo.conversation import Conversation
from tests.conftest import TOKEN, Plugin, basic

EMAIL, PASSWORD = "ana@example.com", "hunter22x"
CONTENT = "C4NARY-content"
EVENT = {"id": "e", "type": "span-create", "timestamp": "2026-01-02T03:04:05Z"}


def otlp(text: str) -> dict[str, Any]:
    attribute = {"key": "langfuse.observation.input", "value": {"stringValue": text}}
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00000000000000aa", "name": text,
            "startTimeUnixNano": "1767323045000000000", "attributes": [attribute],
            "status": {"message": text}, "events": [{"name": "x", "attributes": [attribute]}]}  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def routes(text: str) -> dict[str, dict[str, Any]]:
    return {
        "/traces": {
            "trace_info_type": "tool",
            "trace_info": {"message_id": "m", "tool_name": text, "tool_inputs": {"x": [text]}, "error": text},
        },
        "/api/public/ingestion": {
            "batch": [{**EVENT, "body": {"traceId": "t", "name": text, "input": text, "metadata": {"m": text}}}]
        },
        "/api/public/otel/v1/traces": otlp(text),
    }


@pytest.mark.parametrize("path", list(routes("")))
def test_what_is_masked_reaches_langfuse_by_no_route(plugin: Plugin, path: str) -> None:
    text = f"write to {EMAIL}, password: {PASSWORD}"
    settings = plugin.settings(masking="personal")
    assert plugin.post(path, routes(text)[path], settings=settings).status in {200, 207}
    [row] = plugin.langfuse.all_observations()
    arrived = json.dumps(row)
    assert EMAIL not in arrived
    assert PASSWORD not in arrived
    assert "[masked: email]" in arrived
    assert {"password", "email"} <= {entry["kind"] for entry in row["metadata"]["masked"]}


@pytest.mark.parametrize("path", list(routes("")))
def test_with_metadata_only_no_content_leaves_by_any_route(plugin: Plugin, path: str) -> None:
    payload = routes(CONTENT)[path]
    if path == "/traces":  # the names of tools and nodes stay
        payload["trace_info"]["tool_name"] = "a tool"
    elif path.endswith("ingestion"):
        payload["batch"][0]["body"]["name"] = "a step"
    else:
        payload["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] = "a span"
    assert plugin.post(path, payload, settings=plugin.settings(content="metadata-only")).status in {200, 207}
    import base64
    import zlib

    for request in plugin.langfuse.requests():
        assert CONTENT.encode() not in zlib.decompress(base64.b64decode(request["body"]), wbits=31)
    assert len(plugin.langfuse.all_observations()) == 1


def test_with_metadata_only_a_whole_conversation_keeps_its_shape(plugin: Plugin, conversation: Conversation) -> None:
    reply = plugin.post("/traces", conversation.envelopes(), settings=plugin.settings(content="metadata-only"))
    assert reply.status == 200
    rows = plugin.langfuse.all_observations()
    assert len(rows) == 28
    assert sum(row["usageDetails"].get("total", 0) for row in rows) == 1388 + 908
    assert not any(row["input"] or row["output"] or row["statusMessage"] for row in rows)
    for said in ("parcel", "coat", "courier", "shipping.md", "label service"):
        assert said not in json.dumps(rows)


@pytest.mark.parametrize("path", list(routes("")))
def test_what_is_not_sampled_is_accepted_and_not_sent(plugin: Plugin, path: str) -> None:
    payload = routes("x")[path]
    if path == "/traces":
        payload["trace_info"]["error"] = None
    assert plugin.post(path, payload, settings=plugin.settings(sample_rate="0")).status in {200, 207}
    assert plugin.langfuse.requests() == []


def test_what_tells_of_an_error_is_always_kept(plugin: Plugin) -> None:
    assert plugin.post("/traces", routes("x")["/traces"], settings=plugin.settings(sample_rate="0")).status == 200
    assert len(plugin.langfuse.all_observations()) == 1


def test_a_bad_sample_rate_is_told_by_name(plugin: Plugin) -> None:
    for value in ("2", "-1", "many", "nan"):
        reply = plugin.post("/traces", {}, settings=plugin.settings(sample_rate=value))
        assert reply.json()["error"]["details"][0]["path"] == "settings.sample_rate"


def error_paths(good: dict[str, Any]) -> list[tuple[str, bytes, dict[str, str]]]:
    """(path, body, headers) of requests that fail in every way, each full of canaries."""
    bodies = [
        CONTENT.encode(),
        f'{{"{CONTENT}": '.encode(),
        b'{"x": "\xff' + CONTENT.encode() + b'"}',
        json.dumps({"trace_info_type": CONTENT, "trace_info": {CONTENT: CONTENT}}).encode(),
        json.dumps({"trace_info_type": "tool", "trace_info": {"tool_name": CONTENT, "time_cost": CONTENT}}).encode(),
        json.dumps({"batch": [{"id": "1", "type": CONTENT, "body": {"x": CONTENT}}]}).encode(),
        json.dumps({"batch": [{**EVENT, "body": {"traceId": CONTENT, "startTime": CONTENT}}]}).encode(),
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": CONTENT}]}]}]}).encode(),
        json.dumps(good).encode(),
    ]
    paths = ("/traces", f"/traces/{CONTENT}", "/preview", "/api/public/ingestion", "/api/public/otel/v1/traces")
    sent = [(path, body, {"Content-Type": "application/json"}) for path in paths for body in bodies]
    gzipped = {"Content-Encoding": "gzip"}
    return [*sent, ("/traces", CONTENT.encode(), gzipped), ("/traces", gzip.compress(bodies[0]), gzipped)]


@pytest.mark.parametrize("fault", [{"status": 400}, {"status": 401}, {"status": 503, "headers": {"Retry-After": "99"}}])
def test_no_canary_shows_in_any_answer_or_output_of_any_error_path(
    any_plugin: Plugin, conversation: Conversation, fault: dict[str, Any]
) -> None:
    good = conversation.tool()
    good["trace_info"] |= {"tool_inputs": CONTENT, "tool_outputs": CONTENT, "error": CONTENT}
    secrets = ("sk-lf-demo", TOKEN, "sk-lf-canary")
    any_plugin.langfuse.fail(*[{**fault, "body": {"message": f"{CONTENT} sk-lf-demo"}}] * 50)
    senders = [
        (any_plugin.authorization, any_plugin.settings()),
        (basic("pk-lf-demo", "sk-lf-canary"), any_plugin.settings()),
        (any_plugin.authorization, any_plugin.settings(host=f"http://{CONTENT}:sk-lf-canary@x")),
        (any_plugin.authorization, any_plugin.settings(timezone=CONTENT, ingest_token="sk-lf-canary")),
    ]
    written: list[str] = []
    for headers, settings in senders:
        for path, body, more in error_paths(good):
            if settings["host"].startswith("http://C4NARY") and path != "/traces":
                continue
            reply = any_plugin.runtime.request("POST", path, headers=headers | more, body=body, settings=settings)
            if path != "/preview" or reply.status != 200:  # a preview shows what it was asked to show
                written.append(json.dumps(dict(reply.headers)) + reply.body.decode())
    written += any_plugin.runtime.output
    for text in written:
        assert CONTENT not in text
        assert not any(secret in text for secret in secrets)


def test_two_endpoints_in_one_process_never_meet_in_thousands_of_requests(
    plugin: Plugin, conversation: Conversation
) -> None:
    """Same host, same payloads, other keys: no span, receipt or remembered delivery crosses."""
    from concurrent.futures import ThreadPoolExecutor

    other = Plugin(plugin.runtime, plugin.langfuse.other_project(), release=plugin.release)
    senders = {"demo": plugin, "other": other}

    def one(number: int) -> None:
        project = "demo" if number % 2 else "other"
        payload = {"message_id": f"m{number // 4}", "tool_name": project, "tool_inputs": {"of": project},
                   "start_time": "2026-01-02T03:04:05"}  # fmt: skip
        receipt = senders[project].post("/traces/tool", payload).json()
        assert f"/project/{project}/" in receipt["traces"][0]["url"]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(2_000)))
    for project, sender in senders.items():
        rows = sender.langfuse.all_observations()
        assert len(rows) == 500
        assert {row["name"] for row in rows} == {project}
        assert {json.loads(row["input"])["of"] for row in rows} == {project}
