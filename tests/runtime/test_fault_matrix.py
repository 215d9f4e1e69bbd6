"""Every fault of Langfuse: what the sender is told, how often Langfuse is called, and what becomes of the trace.

The README's table "What happens when" says the same to users.
"""

import base64
import time
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.conversation import Conversation
from demo.langfuse import StandInProcess
from mapper import to_trace
from mapper.observation import Trace
from mapper.options import MappingOptions
from payloads.envelope import parse_payload
from provider.delivery import DEADLINE_S, deliver
from provider.errors import Refused, TryAgain
from provider.settings import Settings
from provider.state import State
from tests.clock import Clock
from tests.conftest import Plugin

RESET, HTML = {"reset": True}, {"body": "<html>", "type": "text/html"}
IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

# name: (what Langfuse does, what the sender is told, its code, how often Langfuse is called)
ONE_FAULT: dict[str, tuple[dict[str, Any], int, str | None, int]] = {
    "400": ({"status": 400}, 502, "rejected", 1),
    "401": ({"status": 401}, 502, "wrong_keys", 1),
    "402": ({"status": 402}, 502, "rejected", 1),
    "403": ({"status": 403}, 502, "forbidden", 1),
    "404": ({"status": 404, **HTML}, 502, "wrong_host", 1),
    "405": ({"status": 405}, 502, "wrong_host", 1),
    "408 once": ({"status": 408}, 200, None, 2),
    "409": ({"status": 409}, 502, "rejected", 1),
    "422": ({"status": 422}, 502, "rejected", 1),
    "425 once": ({"status": 425}, 200, None, 2),
    "429 once": ({"status": 429}, 200, None, 2),
    "429, wait 1 s": ({"status": 429, "headers": {"Retry-After": "1"}}, 200, None, 2),
    "429, wait an hour": ({"status": 429, "headers": {"Retry-After": "3600"}}, 429, "rate_limited", 1),
    "429, wait until a date": ({"status": 429, "headers": {"Retry-After": IN_AN_HOUR}}, 429, "rate_limited", 1),
    "500 once": ({"status": 500}, 200, None, 2),
    "501": ({"status": 501}, 502, "rejected", 1),
    "502 once": ({"status": 502, **HTML}, 200, None, 2),
    "503 once": ({"status": 503, **HTML}, 200, None, 2),
    "503, wait an hour": ({"status": 503, "headers": {"Retry-After": "3600"}}, 503, "unavailable", 1),
    "504 once": ({"status": 504, **HTML}, 200, None, 2),
    "301": ({"status": 301, "headers": {"Location": "https://x.example"}}, 502, "redirected", 1),
    "302 to a login": ({"status": 302, "headers": {"Location": "/auth/sign-in"}}, 502, "redirected", 1),
    "308": ({"status": 308, "headers": {"Location": "https://x.example"}}, 502, "redirected", 1),
    "200 with a page": ({"status": 200, **HTML}, 502, "wrong_host", 1),
    "200 with broken JSON": ({"status": 200, "body": "{"}, 502, "wrong_host", 1),
    "200 with partial success": ({"status": 200, "body": {"partialSuccess": {"rejectedSpans": 2}}}, 502, "rejected", 1),
    "reset once": (RESET, 200, None, 2),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_one_fault_is_answered_as_the_table_says(plugin: Plugin, conversation: Conversation, name: str) -> None:
    fault, status, code, calls = ONE_FAULT[name]
    plugin.langfuse.fail(fault)
    reply = plugin.post("/traces", conversation.tool())
    sent = [request for request in plugin.langfuse.requests() if request["path"].endswith("/v1/traces")]
    assert (reply.status, len(sent)) == (status, calls)
    if code is None:
        assert reply.json()["accepted"] == 1
    else:
        error = reply.json()["error"]
        assert (error["code"], error["retryable"]) == (code, status in {429, 503})
    if status in {429, 503}:
        assert 3_000 < int(reply.headers["Retry-After"]) <= 3_600
    assert_stored_once(plugin, expected=0 if code else 1)


def assert_stored_once(plugin: Plugin, expected: int) -> None:
    stored = plugin.langfuse.all_observations()
    assert len(stored) == expected
    accepted: Counter[str] = Counter()
    for request in plugin.langfuse.requests():
        if request["path"].endswith("/v1/traces"):
            body = zlib.decompress(base64.b64decode(request["body"]), wbits=31)
            export = ExportTraceServiceRequest.FromString(body)
            accepted.update(s.span_id.hex() for r in export.resource_spans for c in r.scope_spans for s in c.spans)
    assert len(accepted) <= 1  # never under another id


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_bytes(
    plugin: Plugin, conversation: Conversation
) -> None:
    """Langfuse has it, but its answer never came: the same bytes again are the same rows."""
    plugin.langfuse.fail({"accept": True, "reset": True})
    reply = plugin.post("/traces", conversation.workflow())
    assert reply.status == 200
    assert len(plugin.langfuse.all_observations()) == 21


@pytest.fixture
def trace(conversation: Conversation) -> Trace:
    return to_trace(parse_payload(conversation.tool()), MappingOptions(received_at=0))


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": 500}, RESET])
def test_a_langfuse_that_is_away_for_an_hour_costs_a_sender_one_deadline(
    langfuse: StandInProcess, settings: Settings, state: State, clock: Clock, trace: Trace, fault: dict[str, Any]
) -> None:
    begun = clock.monotonic()
    refusals = 0
    while clock.monotonic() - begun < 3_600:
        langfuse.reset()
        langfuse.fail(*[fault] * 300)
        before = clock.monotonic()
        with pytest.raises(TryAgain):
            deliver([trace], settings, state, before + DEADLINE_S)
        assert clock.monotonic() - before < DEADLINE_S + 2
        assert len(langfuse.requests()) < 100
        refusals += 1
        clock.sleep(300)  # the sender's own patience
    langfuse.reset()
    assert not deliver([trace], settings, state, clock.monotonic() + DEADLINE_S).duplicate
    assert refusals > 10
    assert len(langfuse.all_observations()) == 1


@pytest.mark.parametrize("fault", [{"delay": 30, "status": 200}, {"slow": 30}])
def test_a_langfuse_that_hangs_costs_a_sender_one_deadline(
    langfuse: StandInProcess, settings: Settings, state: State, trace: Trace, fault: dict[str, Any]
) -> None:
    langfuse.fail(fault)
    begun = time.monotonic()
    with pytest.raises(TryAgain) as caught:
        deliver([trace], settings, state, state.monotonic() + 1.0)
    assert time.monotonic() - begun < 4
    assert caught.value.code in {"timeout", "deadline"}


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_a_host_that_cannot_be_reached_may_pass(settings: Settings, state: State, trace: Trace, host: str) -> None:
    with pytest.raises(TryAgain) as caught:
        deliver([trace], settings.model_copy(update={"host": host}), state, state.monotonic() + 1.0)
    assert caught.value.code in {"unreachable", "timeout", "deadline"}


def test_a_refusal_inside_a_split_trace_is_not_hidden(
    langfuse: StandInProcess, settings: Settings, state: State, trace: Trace
) -> None:
    langfuse.fail({"status": 413}, {"pass": True}, {"status": 400})
    with pytest.raises(Refused):
        deliver([trace, to_other(trace)], settings, state, state.monotonic() + DEADLINE_S)


def to_other(trace: Trace) -> Trace:
    from dataclasses import replace

    observation = replace(trace.observations[0], id="00000000000000ff")
    return replace(trace, observations=(observation,))
