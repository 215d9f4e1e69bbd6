"""`make demo`: one conversation through the plugin's real runtime into Langfuse, shown as trees.

Once as the payloads that Dify stores, and once as an unmodified Dify sends it, through the gateway.

Writes to the embedded stand-in, or to a real server where LANGFUSE_HOST, LANGFUSE_PUBLIC_KEY and
LANGFUSE_SECRET_KEY are set. With `--serve` the stand-in's pages stay up until Ctrl-C.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.clients import send_natively
from demo.conversation import Conversation
from demo.langfuse import Langfuse, stand_in
from demo.plugin_daemon import Front, Local
from demo.tree import cost, seconds, tokens, walk
from mapper.generate_name import title_trace_id
from mapper.ids import trace_id

_NAME_WIDTH = 46
_MARKS = {"ERROR": "ERROR", "WARNING": "WARNING"}


def main() -> int:
    """Sends, reads back, prints. The exit status says whether everything arrived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep the stand-in's pages up until Ctrl-C")
    serve = parser.parse_args().serve
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)
    with _langfuse() as langfuse, _plugin(langfuse) as plugin:
        complete = _send_payloads(langfuse, plugin, Conversation(begun))
        complete &= _send_as_dify_does(langfuse, plugin, Conversation(begun + timedelta(minutes=2)))
        if serve:
            _say(f"\nThe pages stay at {langfuse.host}/project/demo/traces until Ctrl-C.")
            _wait()
    return 0 if complete else 1


@contextmanager
def _langfuse() -> Iterator[Langfuse]:
    host, public, secret = (os.environ.get(f"LANGFUSE_{name}") for name in ("HOST", "PUBLIC_KEY", "SECRET_KEY"))
    if host and public and secret:
        yield Langfuse(host.rstrip("/"), public, secret)
        return
    with stand_in() as server:
        yield server


def _plugin(langfuse: Langfuse) -> Local:
    _say(f"Starting the plugin as Dify's daemon does (python -m main over stdin/stdout), Langfuse at {langfuse.host}")
    return Local(langfuse.settings(environment="demo"))


def _send_payloads(langfuse: Langfuse, plugin: Local, conversation: Conversation) -> bool:
    """The direct route: the payloads that Dify stores, one by one."""
    keys = base64.b64encode(f"{langfuse.public_key}:{langfuse.secret_key}".encode()).decode()
    headers = {"Authorization": f"Basic {keys}", "Content-Type": "application/json"}
    expected: dict[str, int] = {}
    urls: dict[str, str | None] = {}
    health = plugin.request("GET", "/health", headers=headers)
    _say(f"GET /health {health.status} {health.body.decode()}")
    for envelope in conversation.envelopes():
        reply = plugin.request("POST", "/traces", headers=headers, body=json.dumps(envelope).encode())
        _say(f"POST /traces {envelope['trace_info_type']:28} {reply.status}")
        if reply.status != 200:  # noqa: PLR2004 - HTTP
            _say(reply.body.decode())
            return False
        for entry in reply.json()["traces"]:
            expected[entry["trace_id"]] = expected.get(entry["trace_id"], 0) + entry["observations"]
            urls[entry["trace_id"]] = entry["url"]
    return _show(langfuse, expected, urls)


def _send_as_dify_does(langfuse: Langfuse, plugin: Local, conversation: Conversation) -> bool:
    """The gateway: what Dify 1.17's built-in tracing sends, by the SDK that it sends it with."""
    with Front(plugin) as front:
        _say(f"\nThe same as an unmodified Dify sends it: langfuse 4.18, its host set to {front.url}")
        sent = send_natively(
            "langfuse-4",
            host=front.url,
            public_key=langfuse.public_key,
            secret_key=langfuse.secret_key,
            envelopes=conversation.envelopes(),
        )
    _say(f"POST /api/public/ingestion x {sent['events']}, refused: {len(sent['errors'])}")
    title = title_trace_id(conversation.conversation_id)
    expected = {trace_id(conversation.message_id): 6, title: 1, trace_id(conversation.second_message_id): 19}
    return _show(langfuse, expected, {}) and not sent["errors"]


def _show(langfuse: Langfuse, expected: dict[str, int], urls: dict[str, str | None]) -> bool:
    complete = True
    for trace, count in expected.items():
        rows = langfuse.observations(trace, wait_for=count)
        complete &= len(rows) == count
        _say("")
        _print_tree(rows, urls.get(trace))
    return complete


def _print_tree(rows: list[dict[str, Any]], url: str | None) -> None:
    _say(f"{'':{_NAME_WIDTH}} {'type':11} {'duration':>9} {'tokens':>7} {'cost USD':>11}  level")
    for depth, row in walk(rows):
        name = "  " * depth + row["name"]
        spent, price = tokens(row), cost(row)
        _say(
            f"{name[:_NAME_WIDTH]:{_NAME_WIDTH}} {row['type'].lower():11} {seconds(row):8.2f}s "
            f"{'' if spent is None else spent:>7} {'' if price is None else f'{price:.7f}':>11}  "
            f"{_MARKS.get(row['level'], '')}{' ' + row['statusMessage'] if row['statusMessage'] else ''}"
        )
    total = sum(tokens(row) or 0 for row in rows)
    _say(f"{len(rows)} observations, {total} tokens, ${sum(cost(row) or 0.0 for row in rows):.7f}   {url or ''}")


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass


def _say(line: str) -> None:
    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
