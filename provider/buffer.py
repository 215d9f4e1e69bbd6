"""The durable buffer: what Langfuse cannot take now, in Dify's plugin storage, until it can.

The storage is a set of registers that several processes share: `get`, `set`, `delete`, `exist`, each atomic by itself.
There is no listing, no compare-and-set and no lock; a process may be killed between any two calls. So:

Layout, all keys below the endpoint's own prefix, `<day>` being whole days since 1970 (UTC):

    <day>                        marker: something was stored on that day
    <day>/<digits>               marker, one for each prefix of a lane's name (`_DIGITS` of base 4): a tree to walk
    <day>/<lane>/tail            the lane's length, decimal
    <day>/<lane>/<number>        one stored request: JSON head, newline, gzipped OTLP
    lease                        who drains at the moment, until when: saves work, and nothing depends on it

Invariants:

1.  A lane belongs to one process and one day; its name is random. So each item and each tail has one writer.
2.  Markers hold a constant: writers that meet on one write the same. They are never deleted before their day is over.
3.  Order of a store: item, tail, markers (until they stand once). Only then is the sender told that it is stored. A
    kill in between leaves what nobody was promised: an unreachable item, or one that is delivered although its sender
    will send it again, which at Langfuse is the same rows.
4.  A tail never shrinks; below it, an item that is missing has been delivered or dropped.
5.  An item is deleted only after Langfuse has accepted it, or by an explicit drop. Two drainers may both deliver it:
    the bytes are the same, so at Langfuse it is one.
6.  A day's markers and tails are deleted only when the day is `_SETTLED_DAYS` over (no clock is that wrong, no store
    takes that long) and all its lanes are empty.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from provider.errors import Refused, TryAgain

KEPT_DAYS = 30
"""A day that long ago is no longer looked at."""

MAX_ITEM_BYTES = 2_300_000
"""The daemon's line limit of 5 MiB, in hex, with room for the envelope."""

MAX_DEAD = 100
LEASE_S = 30.0
_SETTLED_DAYS = 2
_DIGITS = 20
_DAY_S = 86_400


class StorageFailed(Exception):
    """The storage did not do as told: it is full, or away."""


class Storage(Protocol):
    """Registers that outlive the process. Each call may raise `StorageFailed`."""

    def get(self, key: str) -> bytes | None:
        """The value, or None."""

    def set(self, key: str, value: bytes) -> None:
        """Writes the value."""

    def delete(self, key: str) -> None:
        """Removes the key; a missing one is no error."""

    def exist(self, key: str) -> bool:
        """Whether the key has a value."""


@dataclass(frozen=True, slots=True)
class Item:
    """A stored request: its OTLP body, and what is told of it without opening it.

    `stored_at`: unix seconds. `reason`: why it was stored, or, once it is `dead`, why Langfuse refused it. `sender`:
    the exporter's own sdk headers, where it was not this plugin that encoded it.
    """

    body: bytes
    trace_id: str
    spans: int
    stored_at: float
    reason: str
    dead: bool = False
    sender: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The register's value."""
        head = {"trace_id": self.trace_id, "spans": self.spans, "stored_at": self.stored_at}
        head |= {"reason": self.reason, "dead": self.dead, "sender": dict(self.sender)}
        return json.dumps(head).encode() + b"\n" + zlib.compress(self.body, level=1, wbits=31)

    @classmethod
    def decode(cls, value: bytes) -> Item:
        """What `encode` made."""
        head, _, body = value.partition(b"\n")
        return cls(body=zlib.decompress(body, wbits=31), **json.loads(head))


@dataclass(slots=True)
class _Lane:
    """The lane that this process writes to today."""

    day: int
    name: str = field(default_factory=lambda: "".join(secrets.choice("0123") for _ in range(_DIGITS)))
    length: int = 0
    is_announced: bool = False


@dataclass(slots=True)
class Writer:
    """What one process remembers of its lanes; kept for as long as the process lives, one for each endpoint."""

    lane: _Lane | None = None
    lock: Any = None
    pending: bool = True
    """Whether something may be stored: at the start nobody knows."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `GET /buffer` tells."""

    count: int
    bytes: int
    oldest: float | None
    last_reason: str | None
    dead: tuple[tuple[str, Item], ...]


@dataclass(slots=True)
class Buffer:
    """One endpoint's buffer, as one process sees it. `now`: unix seconds."""

    storage: Storage
    prefix: str
    writer: Writer
    now: Callable[[], float]

    def store(self, item: Item) -> None:
        """Stores an item durably; returning is the promise that it will be delivered.

        Raises:
            StorageFailed: nothing is promised.
        """
        value = item.encode()
        if len(value) > MAX_ITEM_BYTES:
            raise StorageFailed
        if self.writer.lock is None:
            self._append(value)
        else:
            with self.writer.lock:  # greenlets of one process share its lane
                self._append(value)

    def _append(self, value: bytes) -> None:
        today = int(self.now() // _DAY_S)
        lane = self.writer.lane
        if lane is None or lane.day != today:
            lane = self.writer.lane = _Lane(today)
        number = lane.length
        # Taken before the write: an item whose write failed may be there all the same, and must not be written over.
        lane.length += 1
        self._set(f"{lane.day}/{lane.name}/{number}", value)
        self._set(f"{lane.day}/{lane.name}/tail", str(lane.length).encode())
        if not lane.is_announced:
            for length in range(_DIGITS, 0, -1):
                self._set(f"{lane.day}/{lane.name[:length]}", b"1")
            self._set(str(lane.day), b"1")
            lane.is_announced = True
        self.writer.pending = True

    def drain(self, deliver: Callable[[Item], None], is_over: Callable[[], bool]) -> int:
        """Delivers what is stored, the oldest day first, until Langfuse cannot take more or the time is over.

        What Langfuse refuses for good becomes a dead letter. Returns how many were delivered.

        Raises:
            StorageFailed: nothing is lost by it.
        """
        if not self._lease():
            return 0
        delivered = 0
        dead = 0
        everything_seen = True
        for key, item in self._items():
            if is_over():
                everything_seen = False
                break
            if item.dead:
                dead += 1
                continue
            try:
                deliver(item)
            except TryAgain:
                everything_seen = False
                break
            except Refused as refusal:
                self._set(key, replace(item, reason=refusal.code, dead=True).encode())
                dead += 1
                continue
            self._delete(key)
            delivered += 1
        if dead > MAX_DEAD or (dead and not everything_seen):  # there may be others behind
            self._bound_dead()
        if everything_seen:
            self.writer.pending = False
            self._prune()
        self._delete("lease")
        return delivered

    def status(self) -> Status:
        """How much is stored, since when, and why; and the dead letters."""
        items = list(self._items())
        waiting = [item for _, item in items if not item.dead]
        dead = tuple((key, item) for key, item in items if item.dead)
        newest = max(waiting, key=lambda item: item.stored_at, default=None)
        return Status(
            count=len(waiting),
            bytes=sum(len(item.body) for item in waiting),
            oldest=min((item.stored_at for item in waiting), default=None),
            last_reason=newest.reason if newest else None,
            dead=dead,
        )

    def replay(self) -> int:
        """Makes dead letters wait for delivery again; how many."""
        dead = self.status().dead
        for key, item in dead:
            self._set(key, replace(item, reason="replayed", dead=False).encode())
        self.writer.pending = self.writer.pending or bool(dead)
        return len(dead)

    def drop(self) -> int:
        """Forgets dead letters for good; how many."""
        dead = self.status().dead
        for key, _ in dead:
            self._delete(key)
        return len(dead)

    def _bound_dead(self) -> None:
        dead = sorted(((key, item) for key, item in self._items() if item.dead), key=lambda entry: entry[1].stored_at)
        for oldest, _ in dead[:-MAX_DEAD]:
            self._delete(oldest)

    def _items(self) -> Iterator[tuple[str, Item]]:
        for day in self._days():
            for lane in self._lanes(day, ""):
                for number in range(self._tail(day, lane)):
                    key = f"{day}/{lane}/{number}"
                    value = self.storage.get(self.prefix + key)
                    if value is not None:
                        yield key, Item.decode(value)

    def _days(self) -> list[int]:
        today = int(self.now() // _DAY_S)
        # A clock beside this one may be a day ahead.
        return [day for day in range(today - KEPT_DAYS, today + 2) if self.storage.exist(f"{self.prefix}{day}")]

    def _lanes(self, day: int, name: str) -> Iterator[str]:
        """All announced lanes whose name begins with `name`."""
        if len(name) == _DIGITS:
            yield name
            return
        for digit in "0123":
            if self.storage.exist(f"{self.prefix}{day}/{name}{digit}"):
                yield from self._lanes(day, name + digit)

    def _tail(self, day: int, lane: str) -> int:
        return int(self.storage.get(f"{self.prefix}{day}/{lane}/tail") or 0)

    def _prune(self) -> None:
        settled = int(self.now() // _DAY_S) - _SETTLED_DAYS
        for day in self._days():
            if day <= settled:
                self._forget(day)

    def _forget(self, day: int) -> None:
        lanes = list(self._lanes(day, ""))
        for lane in lanes:
            keys = (f"{self.prefix}{day}/{lane}/{number}" for number in range(self._tail(day, lane)))
            if any(self.storage.exist(key) for key in keys):
                return  # a dead letter, or one that another process has not finished
        self._delete(str(day))  # first: without it the rest is out of sight, and harmless
        for lane in lanes:
            self._delete(f"{day}/{lane}/tail")
            for length in range(_DIGITS, 0, -1):
                self._delete(f"{day}/{lane[:length]}")

    def _lease(self) -> bool:
        """Whether to drain: not while somebody else does. Two may still come through at once, to no harm."""
        held = self.storage.get(f"{self.prefix}lease")
        if held is not None and self.now() < float(held.decode()) <= self.now() + LEASE_S:
            return False
        self._set("lease", str(self.now() + LEASE_S).encode())
        return True

    def _set(self, key: str, value: bytes) -> None:
        self.storage.set(self.prefix + key, value)

    def _delete(self, key: str) -> None:
        self.storage.delete(self.prefix + key)
