import dify_plugin  # isort: skip - first: it makes sockets, threads and pipes cooperative, as in the plugin

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.conversation import Conversation
from demo.langfuse import StandInProcess, stand_in
from demo.plugin_daemon import Local, Remote, Reply, Runtime, Serverless
from mapper.options import MappingOptions
from provider.settings import Settings, parse_settings
from provider.state import State
from tests.clock import Clock

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
TOKEN = "a-token-for-senders"


@pytest.fixture(scope="session")
def langfuse_process() -> Iterator[StandInProcess]:
    with stand_in() as server:
        yield server


@pytest.fixture
def langfuse(langfuse_process: StandInProcess) -> StandInProcess:
    langfuse_process.reset()
    return langfuse_process


@dataclass(frozen=True)
class Plugin:
    """A running plugin, and requests to it with the right credentials and settings unless others are given."""

    runtime: Runtime
    langfuse: StandInProcess
    release: str = field(default_factory=lambda: uuid.uuid4().hex)

    def settings(self, **more: Any) -> dict[str, Any]:
        """The endpoint's settings.

        The release is one of its own in each test: the plugin remembers what it delivered, and the stand-in is
        made to forget between tests.
        """
        return self.langfuse.settings(**{"ingest_token": TOKEN, "release": self.release} | more)

    def post(
        self,
        path: str,
        payload: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Reply:
        if body is None and payload is not None:
            body = json.dumps(payload).encode()
        sent = {"Content-Type": "application/json", **self.authorization, **(headers or {})}
        given = self.settings() if settings is None else settings
        return self._checked(self.runtime.request("POST", path, headers=sent, body=body, settings=given))

    def get(self, path: str, *, settings: Mapping[str, Any] | None = None) -> Reply:
        given = self.settings() if settings is None else settings
        return self._checked(self.runtime.request("GET", path, headers=self.authorization, settings=given))

    def _checked(self, reply: Reply) -> Reply:
        """Over the whole suite: no answer holds a credential, and no error what was sent."""
        assert_no_credential(reply.body.decode(errors="replace") + json.dumps(dict(reply.headers)))
        assert reply.status < 400 or b"C4NARY" not in reply.body
        return reply

    @property
    def authorization(self) -> dict[str, str]:
        return basic(self.langfuse.public_key, self.langfuse.secret_key)

    def observe(self, payload: Any, **settings: Any) -> list[dict[str, Any]]:
        """Sends a payload and reads back the observations of all its traces."""
        reply = self.post("/traces", payload, settings=self.settings(**settings))
        assert reply.status == 200, reply.body
        traces = [entry["trace_id"] for entry in reply.json()["traces"]]
        return [row for trace in traces for row in self.langfuse.observations(trace)]


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def assert_no_credential(text: str) -> None:
    for secret in ("sk-lf-demo", "sk-lf-other", TOKEN):
        assert secret not in text


def _start(kind: type[Runtime], langfuse: StandInProcess) -> Iterator[Runtime]:
    with kind(langfuse.settings()) as runtime:
        yield runtime
        written = "".join(runtime.output)  # of the whole suite: logs, stray prints, stderr
    assert_no_credential(written)
    assert "C4NARY" not in written
    assert "Traceback" not in written


@pytest.fixture(scope="session")
def local_runtime(langfuse_process: StandInProcess) -> Iterator[Runtime]:
    yield from _start(Local, langfuse_process)


@pytest.fixture(scope="session")
def remote_runtime(langfuse_process: StandInProcess) -> Iterator[Runtime]:
    yield from _start(Remote, langfuse_process)


@pytest.fixture(scope="session")
def serverless_runtime(langfuse_process: StandInProcess) -> Iterator[Runtime]:
    yield from _start(Serverless, langfuse_process)


@pytest.fixture
def plugin(local_runtime: Runtime, langfuse: StandInProcess) -> Plugin:
    """The plugin as Dify's own daemon runs it."""
    return Plugin(local_runtime, langfuse)


@pytest.fixture(params=["local", "remote", "serverless"])
def any_plugin(request: pytest.FixtureRequest, langfuse: StandInProcess) -> Plugin:
    """The plugin in each of its three runtimes."""
    return Plugin(request.getfixturevalue(f"{request.param}_runtime"), langfuse)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> Iterator[State]:
    """Connections and memories of a plugin's own, with the test's clock."""
    made = State(monotonic=clock.monotonic, sleep=clock.sleep)
    yield made
    made.http.close()


@pytest.fixture
def settings(langfuse: StandInProcess) -> Settings:
    """The settings that write to the stand-in's first project."""
    return parse_settings(langfuse.settings())


@pytest.fixture
def options() -> MappingOptions:
    return MappingOptions(received_at=1_793_000_000_000_000_000)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(START)


def find(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one observation of that name."""
    found = [row for row in rows if row["name"] == name]
    assert len(found) == 1, f"{len(found)} observations named {name}"
    return found[0]


assert dify_plugin
