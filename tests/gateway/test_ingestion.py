"""`POST /api/public/ingestion` and the small routes beside it, event by event."""

import gzip
import json
from typing import Any

import pytest

from demo.langfuse import StandInProcess
from demo.plugin_daemon import Front, Local, Reply
from mapper import ids
from tests.conftest import TOKEN, basic, find
from tests.gateway.conftest import Gateway

INGESTION = "/api/public/ingestion"
TRACE = "b0000000-0000-4000-8000-000000000010"
AT = "2026-01-02T03:04:05.000Z"


def event(kind: str, number: int = 1, **body: Any) -> dict[str, Any]:
    return {"id": f"event-{number}", "type": kind, "timestamp": AT, "body": body}


def post(gateway: Gateway, *events: Any, settings: dict[str, Any] | None = None) -> Reply:
    return gateway.post(INGESTION, {"batch": list(events)}, settings=settings)


def test_a_success_is_what_langfuse_has_accepted(gateway: Gateway) -> None:
    reply = post(gateway, event("trace-create", id=TRACE, name="chat"), event("span-create", 2, id="s", traceId=TRACE))
    assert reply.status == 207
    assert reply.json()["successes"] == [{"id": "event-1", "status": 201}, {"id": "event-2", "status": 201}]
    assert reply.json()["errors"] == []
    assert len(gateway.langfuse.observations(ids.trace_id(TRACE))) == 2


def test_what_langfuse_refuses_is_no_success(gateway: Gateway) -> None:
    gateway.langfuse.fail({"status": 400})
    reply = post(gateway, event("trace-create", id=TRACE), event("sdk-log", 2))
    assert reply.status == 207
    assert [error["status"] for error in reply.json()["errors"]] == [502]
    assert [success["id"] for success in reply.json()["successes"]] == ["event-2"]


def test_when_langfuse_refuses_everything_dify_gets_to_see_it(gateway: Gateway) -> None:
    # Dify does not look into a 207.
    gateway.langfuse.fail({"status": 200, "body": "<html>", "type": "text/html"})
    reply = post(gateway, event("trace-create", id=TRACE))
    assert (reply.status, reply.json()["error"]["code"]) == (502, "wrong_host")


@pytest.mark.parametrize("status", [429, 503])
def test_when_langfuse_is_away_the_whole_request_is_refused_so_that_the_sdk_sends_again(
    gateway: Gateway, status: int
) -> None:
    gateway.langfuse.fail({"status": status, "headers": {"Retry-After": "60"}})
    reply = post(gateway, event("trace-create", id=TRACE))
    assert (reply.status, reply.headers["Retry-After"]) == (status, "60")
    assert reply.json()["message"]


def test_keys_that_langfuse_refuses_get_langfuses_own_answer(gateway: Gateway) -> None:
    settings = gateway.settings(secret_key="sk-lf-elsewhere")
    headers = basic("pk-lf-demo", "sk-lf-elsewhere")
    body = json.dumps({"batch": [event("trace-create", id=TRACE)]}).encode()
    for method, path in (("POST", INGESTION), ("GET", "/api/public/projects")):
        reply = gateway.runtime.request(method, path, headers=headers, body=body, settings=settings)
        assert reply.status == 401
        assert reply.json() == {"message": "Invalid credentials. Confirm that you've configured the correct host."}


@pytest.mark.parametrize("path", [INGESTION, "/api/public/projects", "/api/public/otel/v1/traces"])
def test_whoever_does_not_know_the_keys_gets_langfuses_401(gateway: Gateway, path: str) -> None:
    method = "GET" if path.endswith("projects") else "POST"
    for headers in ({}, basic("pk-lf-demo", "sk-lf-wrong"), {"Authorization": "Bearer pk-lf-demo"}):
        reply = gateway.runtime.request(method, path, headers=headers, body=b"{}", settings=gateway.settings())
        assert reply.status == 401
        assert reply.json() == {"message": "Invalid credentials. Confirm that you've configured the correct host."}


@pytest.mark.parametrize("secret", ["sk-lf-demo", TOKEN])
def test_projects_answers_as_the_real_server(gateway: Gateway, secret: str) -> None:
    headers = basic("pk-lf-demo", secret)
    reply = gateway.runtime.request("GET", "/api/public/projects", headers=headers, settings=gateway.settings())
    assert (reply.status, reply.json()["data"][0]["id"]) == (200, "demo")


def test_health_answers_as_the_real_server_to_everybody(gateway: Gateway) -> None:
    reply = gateway.runtime.request("GET", "/api/public/health", settings=gateway.settings())
    assert (reply.status, reply.json()) == (200, {"status": "OK", "version": "4.16.0"})


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "not a host"])
def test_health_of_a_host_that_does_not_answer_is_an_error(gateway: Gateway, host: str) -> None:
    reply = gateway.runtime.request("GET", "/api/public/health", settings=gateway.settings(host=host))
    assert reply.status in {422, 503}


def test_the_view_link_leads_to_the_real_page(gateway: Gateway) -> None:
    reply = gateway.runtime.request("GET", "/project/demo/traces/abc%20d?tab=x", settings=gateway.settings())
    location = f"{gateway.langfuse.host}/project/demo/traces/abc%20d?tab=x"
    assert (reply.status, reply.headers["Location"]) == (307, location)


@pytest.mark.parametrize("path", ["/project//evil.example/x", "/project/..%2f..%2fevil", "/project/%0d%0aX:%20y"])
def test_the_view_link_leads_nowhere_else(gateway: Gateway, path: str) -> None:
    reply = gateway.runtime.request("GET", path, settings=gateway.settings())
    if reply.status == 307:
        assert reply.headers["Location"].startswith(gateway.langfuse.host + "/project/")
        assert "\n" not in reply.headers["Location"]
        assert "X" not in reply.headers


def test_events_without_parents_hang_under_the_root_in_any_order(gateway: Gateway) -> None:
    post(gateway, event("span-create", id="s", traceId=TRACE, name="step"))
    post(gateway, event("trace-create", id=TRACE, name="chat"))
    rows = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert find(rows, "step")["parentObservationId"] == find(rows, "chat")["id"]


def test_a_child_finds_the_parent_that_it_names(gateway: Gateway) -> None:
    post(gateway, event("generation-create", id="c", traceId=TRACE, name="child", parentObservationId="p"))
    post(gateway, event("span-create", id="p", traceId=TRACE, name="parent"))
    rows = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert find(rows, "child")["parentObservationId"] == find(rows, "parent")["id"]


def test_later_events_carry_what_the_trace_create_told(gateway: Gateway) -> None:
    post(gateway, event("trace-create", id=TRACE, name="chat", userId="u", sessionId="s", tags=["t"], version="7"))
    reply = post(gateway, event("span-create", id="s", traceId=TRACE, name="step"))
    assert reply.json()["warnings"] == []
    step = find(gateway.langfuse.observations(ids.trace_id(TRACE)), "step")
    assert (step["userId"], step["sessionId"], step["traceName"], step["tags"], step["version"]) == (
        "u", "s", "chat", ["t"], "7"
    )  # fmt: skip


def test_an_event_of_a_trace_that_is_not_known_is_delivered_with_a_warning(langfuse: StandInProcess) -> None:
    """As after a restart: another process, that has not seen the trace-create."""
    with Local(langfuse.settings()) as runtime:
        gateway = Gateway(runtime, langfuse)
        metadata = {"conversation_id": "c", "message_id": TRACE, "user_id": "u"}
        reply = post(gateway, event("span-create", id="s", traceId=TRACE, name="moderation", metadata=metadata))
    assert len(reply.json()["successes"]) == 1
    assert "trace-create" in reply.json()["warnings"][0]
    row = find(langfuse.observations(ids.trace_id(TRACE)), "moderation")
    assert (row["parentObservationId"], row["traceName"]) == (ids.root_id(ids.trace_id(TRACE)), "message")
    assert (row["userId"], row["sessionId"], row["tags"]) == ("u", "c", ["message", "moderation"])


def test_two_accounts_never_tell_each_other_of_their_traces(gateway: Gateway) -> None:
    other = Gateway(gateway.runtime, gateway.langfuse.other_project(), release=gateway.release)
    post(gateway, event("trace-create", id=TRACE, name="chat", userId="of-the-first"))
    reply = post(other, event("span-create", id="s", traceId=TRACE, name="step"))
    assert len(reply.json()["warnings"]) == 1
    assert [row["userId"] for row in other.langfuse.all_observations()] == [None]


def test_the_same_event_twice_is_one_observation_and_sent_once(gateway: Gateway) -> None:
    bodies: tuple[dict[str, Any], ...] = ({"id": "s", "name": "with"}, {"name": "without an id"})
    for body in bodies:
        step = event("span-create", traceId=TRACE, startTime=AT, **body)
        post(gateway, step)
        sent = len(gateway.langfuse.requests())
        post(gateway, {**step, "id": "another-event-id"})
        assert len(gateway.langfuse.requests()) == sent
    assert len(gateway.langfuse.observations(ids.trace_id(TRACE))) == 2


def test_an_update_completes_its_creation_in_the_same_request_or_later(gateway: Gateway) -> None:
    created = event("generation-create", id="g", traceId=TRACE, name="call", startTime=AT, metadata={"a": 1})
    ended = event("generation-update", 2, id="g", traceId=TRACE, endTime="2026-01-02T03:04:06Z", output="x", name=None,
                  usage={"input": 1, "output": 2}, metadata={"b": 2})  # fmt: skip
    assert len(post(gateway, created, ended).json()["successes"]) == 2
    late = event("generation-update", 3, id="g", traceId=TRACE, level="WARNING", statusMessage="slow")
    post(gateway, late)
    [row] = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert (row["name"], row["type"], row["output"], row["level"]) == ("call", "generation", "x", "WARNING")
    assert (row["endTime"], row["usageDetails"]["total"]) == ("2026-01-02T03:04:06.000Z", 3)
    assert (row["metadata"]["a"], row["metadata"]["b"]) == (1, 2)


def test_an_update_of_a_trace_keeps_its_place_in_time(gateway: Gateway) -> None:
    post(gateway, event("trace-create", id=TRACE, name="chat", input="q"))
    update = event("trace-create", 2, id=TRACE, output="a") | {"timestamp": "2026-01-02T03:04:59Z"}
    post(gateway, update)
    [row] = gateway.langfuse.observations(ids.trace_id(TRACE))  # another start would have made a second row
    assert (row["input"], row["output"], row["name"]) == ("q", "a", "chat")


def test_other_observation_types_of_newer_clients_are_taken(gateway: Gateway) -> None:
    kinds = ("event", "agent", "tool", "chain", "retriever", "guardrail", "embedding", "evaluator")
    post(gateway, *(event(f"{kind}-create", n, id=kind, traceId=TRACE, name=kind) for n, kind in enumerate(kinds)))
    rows = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert {row["name"]: row["type"] for row in rows} == {kind: kind for kind in kinds}


def test_characters_are_not_passed_off_as_tokens(gateway: Gateway) -> None:
    usage = {"input": 2, "output": 2, "total": 58, "unit": "CHARACTERS"}
    post(gateway, event("generation-create", id="g", traceId=TRACE, name="suggested_question", usage=usage))
    [row] = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert (row["usageDetails"], row["metadata"]["usage.total"]) == ({}, 58)


def test_what_sdk_2_writes_for_nothing_is_nothing(gateway: Gateway) -> None:
    hole = '"<not serializable object of type: NoneType>"'
    post(gateway, event("span-create", id="s", traceId=TRACE, name="n", metadata={"a": hole, "b": [hole, 1]}))
    [row] = gateway.langfuse.observations(ids.trace_id(TRACE))
    assert "a" not in row["metadata"]
    assert row["metadata"]["b"] == [None, 1]


def test_a_container_nodes_price_is_not_counted_again(gateway: Gateway) -> None:
    for kind, expected in (("iteration", {}), ("tool", {"total": 0.5})):
        metadata = {
            "node_type": kind,
            "total_price": "0.5",
            "currency": "USD",
            "total_tokens": 5,
            "status": "succeeded",
        }
        post(gateway, event("span-create", id=kind, traceId=TRACE, name=kind, metadata=metadata))
        row = find(gateway.langfuse.observations(ids.trace_id(TRACE)), kind)
        assert row["costDetails"] == expected


def test_scores_are_passed_on_under_the_new_ids(gateway: Gateway) -> None:
    reply = post(gateway, event("score-create", name="thumbs", value=1, traceId=TRACE, observationId="s"))
    assert len(reply.json()["successes"]) == 1
    import httpx

    [score] = httpx.get(f"{gateway.langfuse.host}/stand-in/scores").json()
    trace = ids.trace_id(TRACE)
    assert (score["traceId"], score["observationId"]) == (trace, ids.observation_id(trace, "node", "s"))


def test_a_bad_event_leaves_the_others(gateway: Gateway) -> None:
    bad: list[Any] = [
        {"id": "no-type", "body": {}},
        {"id": "no-body", "type": "span-create"},
        {"id": "odd", "type": "span-dance", "body": {}},
        {"id": "typed", "type": "span-create", "body": {"traceId": TRACE, "startTime": "C4NARY"}},
        {"id": "homeless", "type": "span-create", "body": {"name": "C4NARY"}},
        {"type": "span-create", "body": {}},
        "C4NARY",
        None,
    ]
    good = [event("span-create", n, id=f"s{n}", traceId=TRACE, name="n") for n in range(2)]
    reply = post(gateway, good[0], *bad, good[1])
    assert reply.status == 207
    assert [success["id"] for success in reply.json()["successes"]] == ["event-0", "event-1"]
    errors = reply.json()["errors"]
    assert [error["id"] for error in errors] == ["no-type", "no-body", "odd", "typed", "homeless", "", "", ""]
    assert {error["status"] for error in errors} == {422}
    assert errors[3]["error"]["details"][0]["path"] == "body.startTime"
    assert b"C4NARY" not in reply.body


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"not json", {}, 400),
        (gzip.compress(b'{"batch": []}')[:-3], {"Content-Encoding": "gzip"}, 400),
        (b"{}", {}, 422),
        (b'{"batch": {}}', {}, 422),
        (b'"text"', {}, 422),
        (b"[1, 2]", {}, 422),
    ],
)
def test_what_is_no_batch_is_told_as_such(gateway: Gateway, body: bytes, headers: dict[str, str], status: int) -> None:
    reply = gateway.post(INGESTION, body=body, headers=headers)
    assert reply.status == status
    assert reply.json()["message"] == reply.json()["error"]["message"]


def test_an_empty_batch_is_no_error(gateway: Gateway) -> None:
    reply = gateway.post(INGESTION, {"batch": [], "metadata": {"batch_size": 0}})
    assert (reply.status, reply.json()["successes"], reply.json()["errors"]) == (207, [], [])


def test_10_000_events_in_one_body_all_arrive(gateway: Gateway) -> None:
    events = [event("span-create", n, id=f"s{n}", traceId=f"t{n % 10}", name="n") for n in range(10_000)]
    reply = post(gateway, *events)
    assert (reply.status, len(reply.json()["successes"])) == (207, 10_000)
    assert len(gateway.langfuse.all_observations()) == 10_000


def test_the_front_drops_header_names_with_underscores_as_nginx_does(front: Front, gateway: Gateway) -> None:
    import httpx

    answer = httpx.get(
        f"{front.url}/api/public/projects", headers={**gateway.authorization, "x_langfuse_sdk_name": "p"}
    )
    assert answer.status_code == 200
