"""A Langfuse to write to: the embedded stand-in, or the server that `LANGFUSE_*` name."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from demo.plugin_daemon import ROOT


@dataclass(frozen=True, slots=True)
class Langfuse:
    """A server and the keys of one of its projects."""

    host: str
    public_key: str
    secret_key: str

    def settings(self, **more: Any) -> dict[str, Any]:
        """The endpoint settings that write here."""
        return {"secret_key": self.secret_key, "public_key": self.public_key, "host": self.host, **more}

    def observations(self, trace_id: str, *, wait_for: int = 0, timeout: float = 60.0) -> list[dict[str, Any]]:
        """A trace's observations as the server reads them back; waits until there are `wait_for` of them."""
        deadline = time.monotonic() + timeout
        while True:
            rows = self._read(trace_id)
            if len(rows) >= wait_for or time.monotonic() > deadline:
                return rows
            time.sleep(1.0)

    def _read(self, trace_id: str) -> list[dict[str, Any]]:
        fields = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
        answer = httpx.get(
            f"{self.host}/api/public/v2/observations",
            params={"traceId": trace_id, "fields": fields, "limit": 1000},
            auth=(self.public_key, self.secret_key),
            timeout=20.0,
        )
        answer.raise_for_status()
        return list(answer.json()["data"])


@dataclass(frozen=True, slots=True)
class StandInProcess(Langfuse):
    """The stand-in, with its switches for tests."""

    def fail(self, *faults: dict[str, Any]) -> None:
        """Scripts the answers to the next requests; see `demo.stand_in`."""
        self._switch("faults", list(faults))

    def reset(self) -> None:
        """Forgets everything that arrived, and all scripted faults."""
        self._switch("reset", None)

    def requests(self) -> list[dict[str, Any]]:
        """What arrived: path, headers (lower case) and body (base64) of each request."""
        answer = httpx.get(f"{self.host}/stand-in/requests", timeout=20.0)
        return list(answer.json())

    def all_observations(self) -> list[dict[str, Any]]:
        """Every observation of the project."""
        answer = httpx.get(
            f"{self.host}/api/public/v2/observations", auth=(self.public_key, self.secret_key), timeout=20.0
        )
        return list(answer.json()["data"])

    def other_project(self) -> StandInProcess:
        """The same server through the keys of its second project."""
        return StandInProcess(self.host, "pk-lf-other", "sk-lf-other")

    def _switch(self, name: str, value: Any) -> None:
        httpx.post(f"{self.host}/stand-in/{name}", content=json.dumps(value), timeout=20.0).raise_for_status()


@contextmanager
def stand_in() -> Iterator[StandInProcess]:
    """A stand-in in a process of its own, on a free port."""
    process = subprocess.Popen([sys.executable, "-m", "demo.stand_in"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield StandInProcess(process.stdout.readline().strip(), "pk-lf-demo", "sk-lf-demo")
    finally:
        process.kill()
        process.wait()
