"""Any bytes and headers on any route: never an escape from the error contract, never an answer after the deadline.

`make fuzz` runs it for a bounded time; a short run is part of the tests.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demo.langfuse import stand_in
from demo.plugin_daemon import Local, Reply
from tests.conftest import Plugin
from tests.test_properties import envelopes, values

STATUSES = {200, 207, 307, 400, 401, 413, 422, 429, 502, 503}
ROUTES = (
    *(("POST", path) for path in ("/traces", "/traces/tool", "/traces/x", "/preview", "/api/public/ingestion")),
    ("POST", "/api/public/otel/v1/traces"),
    *(("GET", path) for path in ("/health", "/api/public/projects", "/api/public/health", "/project/a/b?c=d")),
)
DEADLINE_S = 25.0
MAX_RSS_KB = 400_000

header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)
names = st.sampled_from(["Content-Encoding", "Accept", "X-Langfuse-Sdk-Name", "Authorization", "X-Other", "Cookie"])
types = st.sampled_from(["application/json", "application/x-ndjson", "application/x-protobuf", "text/plain", ""])
encodings = st.sampled_from(["", "", "", "gzip", "identity", "br"])


def _json(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return strategy.map(lambda value: json.dumps(value).encode())


events = st.fixed_dictionaries(
    {"id": st.text(max_size=4), "type": st.sampled_from(["trace-create", "span-create", "generation-update", "x"])},
    optional={"body": values | st.fixed_dictionaries({"traceId": st.just("t"), "id": values, "metadata": values}),
              "timestamp": values},
)  # fmt: skip
bodies = (
    st.binary(max_size=400)
    | _json(values)
    | _json(envelopes() | st.lists(envelopes(), max_size=3))
    | _json(st.fixed_dictionaries({"batch": values | st.lists(events, max_size=4)}))
    | _json(st.fixed_dictionaries({"resourceSpans": values}))
)


def check(reply: Reply, seconds: float) -> None:
    """The error contract, for one answer."""
    assert reply.status in STATUSES, reply
    assert seconds < DEADLINE_S
    if reply.status >= 400:
        answer = reply.json()
        assert "message" in (answer.get("error") or answer)
        assert "internal_error" not in str(answer.get("error")), answer


def fuzz(plugin: Plugin, examples: int, seconds: float) -> Counter[int]:
    """Sends up to `examples` requests for up to `seconds`; how many got which status."""
    seen: Counter[int] = Counter()
    end = time.monotonic() + seconds
    given_settings = plugin.settings()

    @given(st.sampled_from(ROUTES), bodies, types, encodings, st.dictionaries(names, header_values, max_size=2))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def one(route: tuple[str, str], body: bytes, content_type: str, encoding: str, more: dict[str, str]) -> None:
        if time.monotonic() > end:
            return
        method, path = route
        headers = {**plugin.authorization, **more}
        given_headers = {"Content-Type": content_type, "Content-Encoding": encoding}
        headers |= {name: value for name, value in given_headers.items() if value}
        begun = time.monotonic()
        reply = plugin.runtime.request(method, path, headers=headers, body=body, settings=given_settings)
        check(reply, time.monotonic() - begun)
        seen[reply.status] += 1

    run: Callable[[], None] = one
    run()
    assert rss_kb(plugin.runtime.pid) < MAX_RSS_KB
    return seen


def rss_kb(pid: int) -> int:
    """A process's resident memory (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    seconds = parser.parse_args().seconds
    with stand_in() as langfuse, Local(langfuse.settings()) as runtime:
        plugin, seen, end = Plugin(runtime, langfuse), Counter[int](), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            seen += fuzz(plugin, examples=500, seconds=left)
            langfuse.reset()
    sys.stdout.write(f"{sum(seen.values())} requests, answers: {dict(sorted(seen.items()))}\n")


if __name__ == "__main__":
    main()
