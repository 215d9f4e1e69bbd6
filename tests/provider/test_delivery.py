"""Delivery against a real local server, with a clock that the test owns."""

import base64
import socket
import ssl
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.langfuse import StandInProcess
from mapper.observation import Observation, Trace
from provider import delivery
from provider.delivery import Delivered, deliver
from provider.errors import Refused, TooLarge, TryAgain
from provider.settings import Settings, parse_settings
from provider.state import State
from tests.clock import Clock

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def trace(*sizes: int, release: str = "1", first_is_root: bool = True) -> Trace:
    observations = tuple(
        Observation(
            id=f"{index + 1:016x}",
            parent_id=None if index == 0 and first_is_root else f"{1:016x}",
            type="span",
            name=f"n{index}",
            start_time=1_767_323_045_000_000_000 + index,
            end_time=1_767_323_046_000_000_000,
            input="x" * size,
        )
        for index, size in enumerate(sizes or (10,))
    )
    return Trace(id=TRACE_ID, name="workflow", observations=observations, release=release)


def send(traces: list[Trace], settings: Settings, state: State, seconds: float = 20.0) -> Delivered:
    return deliver(traces, settings, state, state.monotonic() + seconds)


def names_in(request: dict[str, Any]) -> list[str]:
    body = ExportTraceServiceRequest.FromString(zlib.decompress(base64.b64decode(request["body"]), wbits=31))
    return [span.name for resource in body.resource_spans for scope in resource.scope_spans for span in scope.spans]


def test_a_trace_goes_up_in_one_compressed_request(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    assert send([trace(10, 10)], settings, state) == Delivered(observations=2, duplicate=False)
    [request] = langfuse.requests()
    headers = request["headers"]
    assert headers["x-langfuse-ingestion-version"] == "4"
    assert (headers["content-type"], headers["content-encoding"]) == ("application/x-protobuf", "gzip")
    assert headers["x-langfuse-sdk-name"] == "dify-langfuse-tracing"
    assert len(langfuse.observations(TRACE_ID)) == 2


def test_parts_of_one_trace_share_a_request_the_roots_part_first(
    langfuse: StandInProcess, settings: Settings, state: State
) -> None:
    child = replace(trace(10, first_is_root=False), name="message")
    assert send([child, trace(5)], settings, state).observations == 2
    [request] = langfuse.requests()
    assert names_in(request) == ["n0", "n0"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(
    langfuse: StandInProcess, settings: Settings, state: State, clock: Clock, status: int
) -> None:
    langfuse.fail({"status": status}, {"status": status, "body": "<html>", "type": "text/html"})
    send([trace()], settings, state)
    requests = langfuse.requests()
    assert len(requests) == 3
    assert len({request["body"] for request in requests}) == 1  # a retry is the same to the last bit
    assert len(clock.slept) == 2


def test_a_broken_connection_is_tried_again(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    langfuse.fail({"reset": True})
    send([trace()], settings, state)
    assert len(langfuse.requests()) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 400, "body": {"error": "bad"}}, "rejected"),
        ({"status": 401}, "wrong_keys"),
        ({"status": 403}, "forbidden"),
        ({"status": 404, "body": "<html>", "type": "text/html"}, "wrong_host"),
        ({"status": 405}, "wrong_host"),
        ({"status": 422}, "rejected"),
        ({"status": 301, "headers": {"Location": "https://elsewhere.example"}}, "redirected"),
        ({"status": 302, "headers": {"Location": "/login"}}, "redirected"),
        ({"status": 307, "headers": {"Location": "/"}}, "redirected"),
        ({"status": 200, "body": "<html>Welcome</html>", "type": "text/html"}, "wrong_host"),
        ({"status": 200, "body": ""}, "wrong_host"),
        ({"status": 200, "body": {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "x"}}}, "rejected"),
    ],
)
def test_a_refusal_is_final_and_not_tried_again(
    langfuse: StandInProcess, settings: Settings, state: State, fault: dict[str, Any], code: str
) -> None:
    langfuse.fail(fault)
    with pytest.raises(Refused) as caught:
        send([trace()], settings, state)
    assert caught.value.code == code
    assert len(langfuse.requests()) == 1


def test_an_empty_partial_success_is_a_success(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    langfuse.fail({"status": 200, "body": {"partialSuccess": {"rejectedSpans": "0"}}})
    assert send([trace()], settings, state).observations == 1


def test_retry_after_is_waited_for_inside_the_deadline(
    langfuse: StandInProcess, settings: Settings, state: State, clock: Clock
) -> None:
    langfuse.fail({"status": 429, "headers": {"Retry-After": "3"}})
    send([trace()], settings, state)
    assert clock.slept == [3.0]


def test_retry_after_may_be_a_date(langfuse: StandInProcess, settings: Settings, state: State, clock: Clock) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)
    langfuse.fail({"status": 503, "headers": {"Retry-After": date}})
    send([trace()], settings, state)
    assert 2 < clock.slept[0] <= 5


def test_retry_after_beyond_the_deadline_is_passed_on_at_once(
    langfuse: StandInProcess, settings: Settings, state: State, clock: Clock
) -> None:
    langfuse.fail({"status": 429, "headers": {"Retry-After": "120"}})
    with pytest.raises(TryAgain) as caught:
        send([trace()], settings, state)
    assert (caught.value.status, caught.value.retry_after, clock.slept) == (429, 120.0, [])
    assert len(langfuse.requests()) == 1


@pytest.mark.parametrize("value", ["soon", "-5", "", "1e9999"])
def test_a_retry_after_that_is_none_is_ignored(
    langfuse: StandInProcess, settings: Settings, state: State, value: str
) -> None:
    langfuse.fail({"status": 503, "headers": {"Retry-After": value}})
    send([trace()], settings, state)


def test_the_deadline_holds_while_langfuse_is_away(
    langfuse: StandInProcess, settings: Settings, state: State, clock: Clock
) -> None:
    langfuse.fail(*[{"status": 503}] * 100)
    begun = clock.monotonic()
    with pytest.raises(TryAgain) as caught:
        send([trace()], settings, state, seconds=20)
    assert (caught.value.code, caught.value.status) == ("unavailable", 503)
    assert clock.monotonic() - begun < 21
    assert len(langfuse.requests()) > 3


@pytest.mark.parametrize("fault", [{"delay": 5, "status": 200}, {"slow": 5}])
def test_an_answer_that_does_not_come_is_given_up_at_the_deadline(
    langfuse: StandInProcess, settings: Settings, state: State, fault: dict[str, Any]
) -> None:
    langfuse.fail(*[fault] * 5)
    begun = time.monotonic()
    with pytest.raises(TryAgain):
        send([trace()], settings, state, seconds=0.7)
    assert time.monotonic() - begun < 3


def test_nobody_listening_is_told_as_unreachable(settings: Settings, state: State) -> None:
    away = settings.model_copy(update={"host": "http://127.0.0.1:9"})
    with pytest.raises(TryAgain) as caught:
        send([trace()], away, state, seconds=1)
    assert caught.value.code == "unreachable"


def test_over_4_mb_the_trace_is_split_the_roots_part_first(
    langfuse: StandInProcess, settings: Settings, state: State
) -> None:
    send([trace(10, *[1_500_000] * 4)], settings, state)
    requests = [names_in(request) for request in langfuse.requests()]
    assert len(requests) > 1
    assert requests[0][0] == "n0"
    assert [name for names in requests for name in names] == ["n0", "n1", "n2", "n3", "n4"]
    assert len(langfuse.observations(TRACE_ID)) == 5


def test_a_413_splits_the_request(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    langfuse.fail({"status": 413, "body": "<html>", "type": "text/html"})
    assert send([trace(1, 1, 1)], settings, state).observations == 3
    assert [names_in(request) for request in langfuse.requests()] == [["n0", "n1", "n2"], ["n0", "n1"], ["n2"]]


def test_a_413_for_one_observation_is_final(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    langfuse.fail({"status": 413}, {"status": 413})
    with pytest.raises(TooLarge):
        send([trace(1, 1)], settings, state)
    assert len(langfuse.requests()) == 2


def test_one_observation_over_4_mb_is_offered_whole(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    send([trace(5_000_000)], settings, state)
    assert len(langfuse.observations(TRACE_ID)[0]["input"]) == 5_000_000


def test_what_was_accepted_is_not_sent_again(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    send([trace()], settings, state)
    assert send([trace()], settings, state) == Delivered(observations=1, duplicate=True)
    assert send([trace(), trace()], settings, state).duplicate
    assert len(langfuse.requests()) == 1
    send([trace(release="2")], settings, state)  # another trace, under the same ids
    assert len(langfuse.requests()) == 2


def test_what_was_refused_is_sent_again(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    langfuse.fail({"status": 400})
    with pytest.raises(Refused):
        send([trace()], settings, state)
    assert not send([trace()], settings, state).duplicate


def test_two_accounts_never_share_what_is_remembered(
    langfuse: StandInProcess, settings: Settings, state: State
) -> None:
    other = parse_settings(langfuse.other_project().settings())
    send([trace()], settings, state)
    assert not send([trace()], other, state).duplicate
    assert len(langfuse.other_project().observations(TRACE_ID)) == 1


def test_a_changed_secret_takes_effect_at_once(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    send([trace()], settings, state)
    wrong = parse_settings(langfuse.settings() | {"secret_key": "sk-lf-old"})
    with pytest.raises(Refused):
        send([trace()], wrong, state)


def test_no_cookie_of_one_answer_goes_out_with_the_next_request(
    langfuse: StandInProcess, settings: Settings, state: State
) -> None:
    body = {"ok": True}
    langfuse.fail({"status": 200, "body": body, "headers": {"Set-Cookie": "session=of-somebody"}})
    send([trace()], settings, state)
    send([trace(release="2")], settings, state)
    assert all("cookie" not in request["headers"] for request in langfuse.requests())


def test_no_error_names_a_credential(langfuse: StandInProcess, settings: Settings, state: State) -> None:
    for status in (400, 401, 403, 404, 413, 302):
        langfuse.fail({"status": status, "body": {"message": "sk-lf-demo"}})
        with pytest.raises(Refused) as caught:
            send([trace(release=str(status))], settings, state)
        assert "sk-lf-demo" not in caught.value.message
        assert caught.value.__cause__ is None


def test_an_untrusted_certificate_is_final(settings: Settings, state: State) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=accept)
        thread.start()
        host = f"https://localhost:{listener.getsockname()[1]}"
        with pytest.raises(Refused) as caught:
            send([trace()], settings.model_copy(update={"host": host}), state)
        thread.join()
    assert caught.value.code == "untrusted_host"


def test_the_deadline_is_below_what_gateways_wait() -> None:
    assert delivery.DEADLINE_S < 30
