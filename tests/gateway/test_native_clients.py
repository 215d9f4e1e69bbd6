"""An unmodified Dify, of every SDK generation: the gateway writes what the direct route writes for the same run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from demo.clients import send_natively
from demo.conversation import Conversation
from demo.langfuse import StandInProcess
from demo.plugin_daemon import Runtime
from tests.conftest import Plugin
from tests.gateway.conftest import Gateway

CLIENTS = ("langfuse-2", "langfuse-3", "langfuse-4")
WITHOUT_DIFYS_ID = ("moderation", "suggested_question", "dataset_retrieval", "track_order")
"""Dify gives these observations no id: the SDK or the plugin makes one."""

OPINION = ("resourceAttributes", "scope")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def direct(local_runtime: Runtime, langfuse: StandInProcess, conversation: Conversation) -> dict[str, dict[str, Any]]:
    """What the payloads of the conversation become, in the server's other project."""
    plugin = Plugin(local_runtime, langfuse.other_project())
    for envelope in conversation.envelopes():
        assert plugin.post("/traces", envelope).status == 200
    return {row["id"]: row for row in plugin.langfuse.all_observations()}


def through(gateway: Gateway, client: str, conversation: Conversation, **environ: str) -> list[dict[str, Any]]:
    with gateway.front() as front:
        sent = send_natively(
            client, host=front.url, **gateway.keys(), envelopes=conversation.envelopes(), environ=environ
        )
    assert (sent["events"], sent["errors"]) == (24, [])
    return gateway.langfuse.all_observations()


def pairs(
    direct: dict[str, dict[str, Any]], rows: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    by_name = {row["name"]: row for row in direct.values()}
    for row in rows:
        yield (by_name[row["name"]] if row["name"] in WITHOUT_DIFYS_ID else direct[row["id"]]), row


def test_the_gateways_traces_are_those_of_the_direct_route(
    gateway: Gateway, client: str, conversation: Conversation, direct: dict[str, dict[str, Any]]
) -> None:
    rows = through(gateway, client, conversation)
    # The direct route knows of the iteration's rounds, and of the retried attempt as one.
    assert len(rows) == len(direct) - 2
    retried = next(row for row in direct.values() if row["statusMessage"] == "503 Service Unavailable")
    compared = 0
    for expected, row in pairs({**direct, **own_id_of(retried, rows)}, rows):
        assert_equal_where_both_know(expected, row, client)
        compared += 1
    assert compared == 26


def own_id_of(retried: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """An attempt is a node of its own to Dify's tracing."""
    row = next(row for row in rows if row["name"] == retried["name"] and row["level"] == "WARNING")
    return {row["id"]: {**retried, "parentObservationId": row["parentObservationId"]}}


def assert_equal_where_both_know(expected: dict[str, Any], row: dict[str, Any], client: str) -> None:
    name = row["name"]
    for field in ("traceId", "name", "type", "level", "model", "userId", "sessionId", "traceName", "version"):
        if field in {"userId", "version"} and row["name"] in (*WITHOUT_DIFYS_ID, "llm"):
            continue  # these payloads tell less than the trace that Dify's tracing sends before them
        assert row[field] == expected[field], (name, field)
    assert row["input"] == expected["input"], name
    assert row["output"] == expected["output"], name
    assert row["completionStartTime"] == expected["completionStartTime"], name
    assert set(expected["tags"]) <= set(row["tags"]), name
    in_iteration = name == "Judge the item"
    if not in_iteration:
        assert row["parentObservationId"] == expected["parentObservationId"], name
    if row["parentObservationId"] is not None:
        assert (row["startTime"], row["endTime"]) == (expected["startTime"], expected["endTime"]), name
    elif name == "message" and row["type"] == "agent":
        assert row["startTime"] == expected["startTime"]
        if client == "langfuse-2":  # its answer came in the same request
            assert row["endTime"] == expected["endTime"]
    assert folded(row["usageDetails"]) == folded(expected["usageDetails"]), name
    for key in row["costDetails"].keys() & expected["costDetails"].keys():
        assert row["costDetails"][key] == pytest.approx(expected["costDetails"][key]), name
    assert bool(row["costDetails"]) == bool(expected["costDetails"]), name
    for key in row["metadata"].keys() & expected["metadata"].keys():
        if not key.startswith(OPINION):
            assert row["metadata"][key] == expected["metadata"][key], (name, key)
    assert not row["usageInvented"]


def folded(usage: dict[str, int]) -> dict[str, int]:
    """Dify's tracing does not tell cached tokens apart."""
    whole = dict(usage)
    if "input_cached_tokens" in whole:
        whole["input"] += whole.pop("input_cached_tokens")
    return whole


def test_every_observation_carries_the_trace_wide_attributes(
    gateway: Gateway, client: str, conversation: Conversation
) -> None:
    for row in through(gateway, client, conversation):
        assert row["sessionId"] == conversation.conversation_id, row["name"]
        assert row["traceName"], row["name"]
        if row["name"] != "generate_conversation_name":
            assert row["userId"] == "customer-4711", row["name"]
            assert row["tags"][0] == "message"
        else:
            assert row["userId"] is None


def test_a_container_in_another_time_zone_moves_no_time(
    gateway: Gateway, client: str, conversation: Conversation
) -> None:
    """Every SDK adds the container's offset to naive times; those of Dify's database are UTC all the same."""
    rows = through(gateway, client, conversation, TZ="Asia/Shanghai")
    for row in rows:
        if row["name"] in WITHOUT_DIFYS_ID or row["name"] == "generate_conversation_name":
            assert row["startTime"].startswith("2026-11-02T01:30:0"), row["name"]  # timers: local, and marked so
        elif row["parentObservationId"] is not None:
            assert row["startTime"].startswith(("2026-11-02T09:30:0", "2026-11-02T09:31:0")), row["name"]


def test_a_workflow_without_a_message_is_a_root_over_its_nodes(
    gateway: Gateway, client: str, conversation: Conversation
) -> None:
    envelope = conversation.workflow()
    envelope["trace_info"] |= {"message_id": None, "conversation_id": None, "error": "it broke"}
    envelope["trace_info"]["metadata"] |= {"status": "failed", "conversation_id": None}
    with gateway.front() as front:
        send_natively(client, host=front.url, **gateway.keys(), envelopes=[envelope])
    rows = gateway.langfuse.all_observations()
    roots = [row for row in rows if row["parentObservationId"] is None]
    assert [(row["name"], row["level"], row["tags"]) for row in roots] == [("workflow", "ERROR", ["workflow"])]
    assert len([row for row in rows if row["parentObservationId"] == roots[0]["id"]]) == 14
    assert json.loads(roots[0]["output"])["answer"].startswith("The coat yes")


def test_a_trailing_slash_on_the_host_does_no_harm(gateway: Gateway, client: str, conversation: Conversation) -> None:
    with gateway.front() as front:
        sent = send_natively(client, host=front.url + "/", **gateway.keys(), envelopes=[conversation.message()])
    assert (sent["events"], sent["errors"]) == (2, [])
    assert len(gateway.langfuse.all_observations()) == 2


def test_the_ingest_token_may_stand_for_the_secret(gateway: Gateway, client: str, conversation: Conversation) -> None:
    with gateway.front(ingest_token="a-token-for-dify-only") as front:
        keys = gateway.keys("a-token-for-dify-only")
        sent = send_natively(client, host=front.url, **keys, envelopes=[conversation.tool()])
    assert (sent["events"], sent["errors"]) == (1, [])
    assert len(gateway.langfuse.all_observations()) == 1


def test_wrong_keys_fail_loudly(gateway: Gateway, client: str, conversation: Conversation) -> None:
    with gateway.front() as front, pytest.raises((RuntimeError, AssertionError)):  # noqa: PT012
        keys = gateway.keys("sk-lf-wrong")
        sent = send_natively(client, host=front.url, **keys, envelopes=[conversation.tool()])
        assert sent["errors"] == []
    assert gateway.langfuse.all_observations() == []
