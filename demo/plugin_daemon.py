r"""What Dify's plugin daemon does, as far as an endpoint plugin sees it: starts the plugin, hands it requests.

The three ways in which Dify runs a plugin: a process over stdin/stdout (`Local`), a developer's process that
connects by TCP (`Remote`), a serverless function over HTTP (`Serverless`). Requests are serialised as the daemon
does it: an empty POST arrives as `0\r\n\r\n`, bodies are cut at 10 MiB.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
BODY_LIMIT = 10 * 1024 * 1024
STORAGE_LIMIT = 10 * 1024 * 1024
LINE_LIMIT = 5 * 1024 * 1024
"""A longer line on stdout makes the daemon kill the plugin."""

READY_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the daemon hands back to the HTTP client."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class PluginError(Exception):
    """The plugin answered with an error message instead of a response: the client sees a 500."""


def serialise(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The raw HTTP/1.1 request, as Go writes it after the daemon has read and cut the body."""
    body = (body or b"")[:BODY_LIMIT]
    lines = {"Host": "dify.example", "User-Agent": "demo", "Dify-Hook-Id": Front.HOOK, **headers}
    if body:
        lines["Content-Length"] = str(len(body))
    elif method in ("POST", "PUT"):
        lines["Transfer-Encoding"] = "chunked"
        body = b"0\r\n\r\n"
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class _Closing(ABC):
    """Closes at the end of its `with`."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass
class Runtime(_Closing):
    """A running plugin. `settings` are those of the endpoint; a request may bring others."""

    settings: Mapping[str, Any]
    python: str = sys.executable
    plugin: Path = ROOT
    environ: Mapping[str, str] = field(default_factory=dict)
    storage: dict[str, bytes] = field(default_factory=dict)
    """The plugin storage of the workspace; several runtimes may share one."""

    endpoint_id: str = "demo-endpoint"
    output: list[str] = field(default_factory=list)
    """Everything that the process wrote beside the protocol: logs, stray prints, stderr."""

    def __post_init__(self) -> None:
        """Starts the process, and waits until it takes requests."""
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _exchange(self, envelope: dict[str, Any], timeout: float) -> Iterable[dict[str, Any]]:
        """Sends an envelope; the session's messages, `end` excluded."""

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        settings: Mapping[str, Any] | None = None,
        timeout: float = 60.0,
    ) -> Reply:
        """One HTTP request to the endpoint, through the runtime."""
        raw = serialise(method, path, headers or {}, body)
        envelope = {
            "session_id": str(uuid.uuid4()),
            "conversation_id": None,
            "message_id": None,
            "app_id": None,
            "endpoint_id": self.endpoint_id,
            "context": None,
            "event": "request",
            "data": {
                "user_id": "",
                "type": "endpoint",
                "action": "invoke_endpoint",
                "raw_http_request": raw.hex(),
                "settings": dict(self.settings if settings is None else settings),
            },
        }
        status = 0
        reply_headers: dict[str, str] = {}
        body_parts: list[bytes] = []
        for message in self._exchange(envelope, timeout):
            if message["type"] == "error":
                raise PluginError(message["data"])
            data = message["data"]
            status = data.get("status") or status
            reply_headers |= data.get("headers") or {}
            body_parts.append(bytes.fromhex(data.get("result") or ""))
        return Reply(status, reply_headers, b"".join(body_parts))

    def close(self) -> None:
        """Ends the process as the daemon does: without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
            self._process = None

    @property
    def pid(self) -> int:
        """The plugin's process."""
        assert self._process is not None
        return self._process.pid

    def _spawn(self, **environ: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANGFUSE", "OTEL"))}
        self._process = subprocess.Popen(
            [self.python, "-m", "main"],
            cwd=self.plugin,
            env={**kept, "PYTHONUNBUFFERED": "1", "HEARTBEAT_INTERVAL": "1", **self.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        threading.Thread(target=self._collect, args=(self._process.stderr,), daemon=True).start()
        return self._process

    def _collect(self, pipe: Any) -> None:
        with suppress(OSError, ValueError):  # closed under our hands: the process is gone
            self.output.extend(line.decode(errors="replace") for line in pipe)

    def _answer_invocation(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """What the daemon says to a plugin's call of the storage: an answer or an error, and the end."""
        call = event["data"]["data"]
        request = call["request"]
        key, operation = request["key"], request["opt"]
        answer: dict[str, Any] = {"event": "response", "message": "struct", "data": {"data": "ok"}}
        if operation == "set":
            self.storage[key] = bytes.fromhex(request["value"])
            if sum(map(len, self.storage.values())) > STORAGE_LIMIT:  # checked after it was written, as Dify does
                answer = {"event": "error", "message": "allocated size is greater than max storage size", "data": None}
        elif operation == "exist":
            answer["data"] = {"data": key in self.storage}
        elif key not in self.storage:
            answer = {"event": "error", "message": "load data failed, please check if the key is correct", "data": None}
        elif operation == "get":
            answer["data"] = {"data": self.storage[key].hex()}
        else:
            del self.storage[key]
        end = {"event": "end", "message": "", "data": None}
        request_id = {"backwards_request_id": call["backwards_request_id"]}
        envelope = {"session_id": event["session_id"], "event": "backwards_response", "context": None}
        envelope |= {"conversation_id": None, "message_id": None, "app_id": None, "endpoint_id": self.endpoint_id}
        return [{**envelope, "data": {**request_id, **part}} for part in (answer, end)]

    def _wait_for(self, ready: threading.Event) -> None:
        if not ready.wait(READY_TIMEOUT_S):
            raise PluginError("the plugin did not get ready:\n" + "".join(self.output[-20:]))


class Front(_Closing):
    """Dify's front for endpoint URLs: nginx and the daemon's HTTP server, on a free port of 127.0.0.1.

    Hands requests under `/e/<hook>` to the plugin, as both do: header names with underscores are dropped, a
    body is cut at 10 MiB, an error message of the plugin becomes a 500.
    """

    HOOK = "demohookid123456"

    def __init__(self, runtime: Runtime, settings: Mapping[str, Any] | None = None) -> None:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: Any) -> None:
                """Silent."""

            def handle_one(self) -> None:
                front._hand_over(self)

            do_GET = do_POST = handle_one

        self.runtime = runtime
        self.settings = settings
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The endpoint URL that Dify would show."""
        return f"http://127.0.0.1:{self._server.server_port}/e/{self.HOOK}"

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()

    def _hand_over(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        dropped = {"content-length", "transfer-encoding", "connection", "host"}
        headers = {
            name: value for name, value in handler.headers.items() if name.lower() not in dropped and "_" not in name
        }
        path = handler.path.removeprefix(f"/e/{self.HOOK}")
        try:
            reply = self.runtime.request(handler.command, path, headers=headers, body=body, settings=self.settings)
        except PluginError as error:
            reply = Reply(
                500, {"Content-Type": "application/json"}, json.dumps({"code": -500, "message": str(error)}).encode()
            )
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() != "content-length":
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)


class _Sessions:
    """Routes the messages of one connection to the requests that wait for them."""

    def __init__(self) -> None:
        self._queues: dict[str, queue.Queue[dict[str, Any]]] = {}

    def open(self, session_id: str) -> queue.Queue[dict[str, Any]]:
        return self._queues.setdefault(session_id, queue.Queue())

    def put(self, event: dict[str, Any]) -> None:
        waiting = self._queues.get(event.get("session_id") or "")
        if waiting is not None:
            waiting.put(event["data"])

    def messages(self, session_id: str, timeout: float) -> Iterator[dict[str, Any]]:
        waiting = self.open(session_id)
        deadline = time.monotonic() + timeout
        try:
            while (message := waiting.get(timeout=max(0.0, deadline - time.monotonic())))["type"] != "end":
                yield message
        finally:
            del self._queues[session_id]


class _Duplex(Runtime):
    """A process with one connection for everything: requests, messages of all sessions, calls of the storage."""

    _sessions: _Sessions

    @abstractmethod
    def _write(self, envelope: dict[str, Any]) -> None: ...

    def _take_session(self, event: dict[str, Any]) -> None:
        if event["data"]["type"] != "invoke":
            self._sessions.put(event)
            return
        for answer in self._answer_invocation(event):
            self._write(answer)

    def _exchange(self, envelope: dict[str, Any], timeout: float) -> Iterable[dict[str, Any]]:
        session_id = envelope["session_id"]
        self._sessions.open(session_id)
        self._write(envelope)
        return self._sessions.messages(session_id, timeout)


class Local(_Duplex):
    """`python -m main` over stdin and stdout: how Dify's own daemon runs plugins."""

    def _start(self) -> None:
        self._sessions = _Sessions()
        self._write_lock = threading.Lock()
        ready = threading.Event()
        process = self._spawn(INSTALL_METHOD="local")
        threading.Thread(target=self._read, args=(process.stdout, ready), daemon=True).start()
        self._wait_for(ready)

    def _read(self, stdout: Any, ready: threading.Event) -> None:
        try:
            for line in stdout:
                if len(line) > LINE_LIMIT:
                    self.output.append("FATAL: a line of over 5 MiB; the daemon would have killed the plugin\n")
                    self.close()
                    return
                self._take(line, ready)
        except (OSError, ValueError):
            pass

    def _take(self, line: bytes, ready: threading.Event) -> None:
        if not line.strip():
            return
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or "event" not in event:
            self.output.append(line.decode(errors="replace"))
        elif event["event"] == "heartbeat":
            ready.set()
        elif event["event"] == "session":
            self._take_session(event)
        else:
            self.output.append(line.decode(errors="replace"))

    def _write(self, envelope: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with self._write_lock:
            self._process.stdin.write(json.dumps(envelope).encode() + b"\n")
            self._process.stdin.flush()


class Remote(_Duplex):
    """The developer's process: it connects by TCP, shakes hands and declares itself."""

    KEY = "00000000-0000-4000-8000-00000000d1f7"

    def _start(self) -> None:
        self._sessions = _Sessions()
        self._write_lock = threading.Lock()
        self.declarations: dict[str, Any] = {}
        self.assets: dict[str, bytes] = {}
        self._connection: socket.socket | None = None
        ready = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, args=(ready,), daemon=True).start()
        process = self._spawn(
            INSTALL_METHOD="remote",
            REMOTE_INSTALL_URL=f"127.0.0.1:{self._listener.getsockname()[1]}",
            REMOTE_INSTALL_KEY=self.KEY,
        )
        threading.Thread(target=self._collect, args=(process.stdout,), daemon=True).start()
        self._wait_for(ready)

    def _serve(self, ready: threading.Event) -> None:
        try:
            connection, _ = self._listener.accept()
            self._connection = connection
            with connection.makefile("rb") as lines:
                for line in lines:
                    if line.strip():
                        self._take(json.loads(line), ready)
        except OSError:
            pass

    def _take(self, message: dict[str, Any], ready: threading.Event) -> None:
        if message.get("event") == "session":
            self._take_session(message)
        elif message.get("event") == "heartbeat":
            ready.set()
        elif message.get("type") == "handshake":
            if message["data"]["key"] != self.KEY and self._connection is not None:
                self._connection.sendall(b"handshake failed, invalid key\n")
                self._connection.close()
        elif message.get("type") == "asset_chunk":
            data = message["data"]
            self.assets[data["filename"]] = self.assets.get(data["filename"], b"") + base64.b64decode(data["data"])
        elif "type" in message:
            self.declarations[message["type"]] = message["data"]
        else:
            self.output.append(json.dumps(message))

    def _write(self, envelope: dict[str, Any]) -> None:
        assert self._connection is not None
        with self._write_lock:
            self._connection.sendall(json.dumps(envelope).encode() + b"\n")

    def close(self) -> None:
        """Ends the process, and the daemon's side of the connection."""
        super().close()
        for held in (getattr(self, "_connection", None), getattr(self, "_listener", None)):
            if held is not None:
                held.close()


class Serverless(Runtime):
    """The function that Dify's cloud runs: an HTTP server in front of the same code."""

    def _start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        runtime = self

        class Transactions(BaseHTTPRequestHandler):
            def log_message(self, *_args: Any) -> None:
                """Silent."""

            def do_POST(self) -> None:
                line = self.rfile.read(int(self.headers["Content-Length"]))
                answers = runtime._answer_invocation(json.loads(line))
                body = b"".join(json.dumps(answer).encode() + b"\n\n" for answer in answers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._daemon = ThreadingHTTPServer(("127.0.0.1", 0), Transactions)
        self._daemon.daemon_threads = True
        threading.Thread(target=self._daemon.serve_forever, daemon=True).start()
        process = self._spawn(
            INSTALL_METHOD="serverless",
            SERVERLESS_HOST="127.0.0.1",
            SERVERLESS_PORT=str(self._port),
            DIFY_PLUGIN_DAEMON_URL=f"http://127.0.0.1:{self._daemon.server_port}",
        )
        threading.Thread(target=self._collect, args=(process.stdout,), daemon=True).start()
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._is_up():
            if time.monotonic() > deadline or process.poll() is not None:
                raise PluginError("the plugin did not get ready:\n" + "".join(self.output[-20:]))
            time.sleep(0.05)

    def close(self) -> None:
        """Ends the process, and the daemon's side of it."""
        super().close()
        if hasattr(self, "_daemon"):
            self._daemon.shutdown()
            self._daemon.server_close()

    def _is_up(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1):
                return True
        except OSError:
            return False

    def _exchange(self, envelope: dict[str, Any], timeout: float) -> Iterable[dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        try:
            connection.request(
                "POST",
                "/invoke?action=invoke_endpoint",
                json.dumps(envelope),
                {"Content-Type": "application/json", "Accept": "text/event-stream"},
            )
            lines = connection.getresponse().read().split(b"\n")
        finally:
            connection.close()
        messages = [json.loads(line)["data"] for line in lines if line.strip()]
        return [message for message in messages if message["type"] != "end"]
