"""A Langfuse on 127.0.0.1: takes OTLP as a v4 server does, reads back, shows traces as pages.

`python -m demo.stand_in [--port N]` prints its address and serves until it is ended. What it stores it keeps in
memory. Under `/stand-in/` are the switches for tests: scripted faults, the log of what arrived, a reset.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import socket
import struct
import sys
import threading
import time
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo import langfuse_rules, pages

VERSION = "4.16.0"
WRONG_KEYS = {"message": "Invalid credentials. Confirm that you've configured the correct host."}
EVENTS_ONLY = "This endpoint is not available: the server stores events only."
OTLP_VERSION = 4
type Body = dict[str, Any] | list[Any] | str | bytes


@dataclass(frozen=True, slots=True)
class Account:
    """A project and the keys that open it."""

    project_id: str
    project_name: str
    public_key: str
    secret_key: str


ACCOUNTS = (
    Account("demo", "Demo project", "pk-lf-demo", "sk-lf-demo"),
    Account("other", "Another project", "pk-lf-other", "sk-lf-other"),
)


@dataclass
class Store:
    """What the server knows. Rows are replaced by id, trace and start time, as v4 does it."""

    rows: dict[str, dict[tuple[str, str, str], dict[str, Any]]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, project_id: str, row: dict[str, Any]) -> None:
        """One observation, as the last one processed."""
        self.rows.setdefault(project_id, {})[row["traceId"], row["id"], row["startTime"]] = row

    def of(self, project_id: str, trace_id: str | None = None) -> list[dict[str, Any]]:
        """A project's observations by start time, of one trace or of all."""
        rows = [row for row in self.rows.get(project_id, {}).values() if trace_id in (None, row["traceId"])]
        return sorted(rows, key=lambda row: (row["startTime"], row["parentObservationId"] or "", row["id"]))

    def reset(self) -> None:
        """Forgets everything."""
        for kept in (self.rows, self.requests, self.faults, self.scores):
            kept.clear()


class StandIn(ThreadingHTTPServer):
    """The server; `store` is what it holds."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.store = Store()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def log_message(self, *_args: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match [unquote(part) for part in parts.path.strip("/").split("/")]:
            case ["api", "public", "health"]:
                self._answer(200, {"status": "OK", "version": VERSION})
            case ["api", "public", "projects"]:
                self._projects()
            case ["api", "public", "v2", "observations"]:
                self._observations(query.get("traceId"))
            case ["api", "public", *_]:
                self._answer(404, {"message": EVENTS_ONLY})
            case ["stand-in", "requests"]:
                self._answer(200, list(self.server.store.requests))
            case ["stand-in", "scores"]:
                self._answer(200, list(self.server.store.scores))
            case ["project", project_id, "traces", trace_id]:
                self._page(pages.trace(self.server.store.of(project_id, trace_id)))
            case ["project", project_id] | ["project", project_id, "traces"]:
                self._page(pages.traces(project_id, self.server.store.of(project_id)))
            case [""]:
                self._page(pages.projects([(account.project_id, account.project_name) for account in ACCOUNTS]))
            case _:
                self._answer(404, "<html><body>This page could not be found</body></html>", "text/html")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match urlsplit(self.path).path:
            case "/api/public/otel/v1/traces":
                self._otlp(body)
            case "/api/public/ingestion":
                self._ingestion(body)
            case "/stand-in/faults":
                self.server.store.faults.extend(json.loads(body))
                self._answer(200, {})
            case "/stand-in/reset":
                with self.server.store.lock:
                    self.server.store.reset()
                self._answer(200, {})
            case _:
                self._answer(404, "<html><body>This page could not be found</body></html>", "text/html")

    def _account(self) -> Account | None:
        """By the secret alone: a real server finds the key by the secret's hash."""
        try:
            scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
            secret = base64.b64decode(encoded).decode().partition(":")[2] if scheme == "Basic" else None
        except (binascii.Error, UnicodeDecodeError):
            return None
        return next((account for account in ACCOUNTS if account.secret_key == secret), None)

    def _projects(self) -> None:
        account = self._account()
        if account is None:
            self._answer(401, WRONG_KEYS)
            return
        organization = {"id": "org", "name": "Stand-in"}
        project = {
            "id": account.project_id,
            "name": account.project_name,
            "organization": organization,
            "metadata": {},
            "retentionDays": None,
        }
        self._answer(200, {"data": [project]})

    def _observations(self, trace_id: str | None) -> None:
        account = self._account()
        if account is None:
            self._answer(401, WRONG_KEYS)
            return
        with self.server.store.lock:
            rows = self.server.store.of(account.project_id, trace_id)
        self._answer(200, {"data": rows, "meta": {"cursor": None}})

    def _otlp(self, body: bytes) -> None:
        self._log(body)
        if self._fault():
            return
        account = self._account()
        if account is None:
            self._answer(401, WRONG_KEYS)
            return
        version = self.headers.get("x-langfuse-ingestion-version", "0")
        if not version.isdigit() or int(version) > OTLP_VERSION:
            self._answer(400, {"error": "Unsupported ingestion version"})
            return
        if "application/x-protobuf" not in self.headers.get("Content-Type", ""):
            self._answer(400, {"error": "Invalid content type"})
            return
        try:
            if "gzip" in self.headers.get("Content-Encoding", ""):
                body = zlib.decompress(body, wbits=31)
            rows = list(langfuse_rules.observations(ExportTraceServiceRequest.FromString(body)))
        except (zlib.error, DecodeError, langfuse_rules.Rejected) as error:
            self._answer(400, {"error": f"Failed to parse OTel Protobuf Trace: {type(error).__name__}"})
            return
        with self.server.store.lock:
            for row in rows:
                self.server.store.put(account.project_id, row)
        self._answer(200, {"name": "otel-ingestion-job", "id": "1", "data": {"payload": {"data": {}}}})

    def _ingestion(self, body: bytes) -> None:
        """The legacy route of a server that stores events only: trace events are refused one by one, inside a 207."""
        self._log(body)
        if self._fault():
            return
        if self._account() is None:
            self._answer(401, WRONG_KEYS)
            return
        successes, errors = [], []
        for event in json.loads(body)["batch"]:
            if event.get("type") in ("score-create", "sdk-log"):
                if event["type"] == "score-create":
                    self.server.store.scores.append(event["body"])
                successes.append({"id": event["id"], "status": 201})
            else:
                errors.append(
                    {
                        "id": event["id"],
                        "status": 400,
                        "message": "Invalid request data",
                        "error": EVENTS_ONLY,
                    }
                )
        self._answer(207, {"successes": successes, "errors": errors})

    def _log(self, body: bytes) -> None:
        with self.server.store.lock:
            self.server.store.requests.append(
                {
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": base64.b64encode(body).decode(),
                }
            )

    def _fault(self) -> bool:
        """Plays the next scripted fault, if there is one: `{status, headers, body, delay, hang, reset, slow}`.

        `{"pass": true}` lets one request through; `accept: true` stores it and then answers as scripted.
        """
        with self.server.store.lock:
            fault = self.server.store.faults.pop(0) if self.server.store.faults else None
        if fault is None or fault.get("pass"):
            return False
        time.sleep(fault.get("delay", 0))
        if fault.get("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return True
        body = fault.get("body", {"message": "scripted"})
        if fault.get("slow"):
            self._drip(fault["slow"])
            return True
        self._answer(fault["status"], body, fault.get("type", "application/json"), fault.get("headers"))
        return True

    def _drip(self, seconds: float) -> None:
        """A 200 whose body comes byte by byte, for longer than anyone should wait."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        deadline = time.monotonic() + seconds
        self.close_connection = True
        while time.monotonic() < deadline:
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.1)

    def _page(self, html: str) -> None:
        self._answer(200, html, "text/html; charset=utf-8")

    def _answer(
        self, status: int, body: Body, content_type: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serves until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    server = StandIn(parser.parse_args().port)
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
