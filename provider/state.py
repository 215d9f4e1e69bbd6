"""Everything that outlives a request, in one place.

One process serves every workspace of a Dify installation that has the plugin: all of this is shared between
tenants. So each entry's key starts with `Settings.account` (host, public key, digest of the secret), and each
store is bounded in number and time. Import after `dify_plugin`, which makes sockets cooperative.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from cachetools import LRUCache, TTLCache

from provider.buffer import Writer

PROJECT_TTL_S = 600.0
DELIVERED_TTL_S = 600.0
EVENTS_TTL_S = 600.0
MAX_ACCOUNTS = 1_000
MAX_DELIVERED = 20_000
"""Digests of 32 bytes and their keys: about 5 MB when full."""

MAX_KNOWN_TRACES = 10_000
MAX_EVENT_BYTES = 16_000_000
"""Of all remembered event bodies together, as JSON."""


@dataclass(frozen=True, slots=True)
class Project:
    """The Langfuse project that a pair of keys opens."""

    id: str
    name: str


def _client() -> httpx.Client:
    # No redirects: a redirected POST is lost or downgraded. No cookies: one workspace's would go out with another's
    # requests. The proxy variables that Dify passes on are honoured.
    return httpx.Client(
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=10.0,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
    )


def _projects() -> TTLCache[str, Project | None]:
    return TTLCache(MAX_ACCOUNTS, PROJECT_TTL_S)


def _delivered() -> TTLCache[tuple[str, bytes], None]:
    return TTLCache(MAX_DELIVERED, DELIVERED_TTL_S)


def _known_traces() -> TTLCache[tuple[str, str], Any]:
    return TTLCache(MAX_KNOWN_TRACES, EVENTS_TTL_S)


def _events() -> TTLCache[tuple[str, str, str], tuple[int, Any]]:
    return TTLCache(MAX_EVENT_BYTES, EVENTS_TTL_S, getsizeof=lambda held: held[0])


def _writers() -> LRUCache[str, Writer]:
    return LRUCache(MAX_ACCOUNTS)


@dataclass(slots=True)
class State:
    """Connections, clocks and bounded memories. Tests make their own; the plugin uses `SHARED`.

    `projects`: account to project, or None for "asked in vain a moment ago" (see `provider.account`).
    `delivered`: (account, sha256 of the encoded payload) of what Langfuse accepted.
    `known_traces`: (account, trace id) to what its trace-create told, for the legacy events that follow.
    `writers`: endpoint id to what this process knows of its lane in the buffer (see `provider.buffer`).
    `events`: (account, trace id, id) to size in bytes and legacy event, for updates to be merged into.
    """

    http: httpx.Client = field(default_factory=_client)
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    projects: TTLCache[str, Project | None] = field(default_factory=_projects)
    delivered: TTLCache[tuple[str, bytes], None] = field(default_factory=_delivered)
    known_traces: TTLCache[tuple[str, str], Any] = field(default_factory=_known_traces)
    events: TTLCache[tuple[str, str, str], tuple[int, Any]] = field(default_factory=_events)
    writers: LRUCache[str, Writer] = field(default_factory=_writers)


SHARED = State()
