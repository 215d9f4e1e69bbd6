"""The durable buffer behind a request: Dify's storage, the process's lane, and delivery with what time is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dify_plugin.core.runtime import Session

from mapper.observation import Trace
from provider.buffer import Buffer, Item, StorageFailed, Writer
from provider.delivery import Piece, pieces_of, redeliver
from provider.errors import TryAgain
from provider.settings import Settings
from provider.state import State

DRAIN_S = 5.0
"""For what is stored, of a request that came for something else."""

RESERVE_S = 6.0
"""Of the deadline, kept for storing what could not be delivered."""


@dataclass(frozen=True, slots=True)
class DifyStorage:
    """Dify's plugin storage. Scope: workspace and plugin; works only while the request is open."""

    session: Session

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        # Dify's error for a missing key is the same bare Exception as for a broken storage: ask first.
        return self._call(lambda storage: storage.get(key)) if self.exist(key) else None

    def set(self, key: str, value: bytes) -> None:
        """Writes the value."""
        self._call(lambda storage: storage.set(key, value))

    def delete(self, key: str) -> None:
        """Removes the key; a missing one is no error."""
        if self.exist(key):
            self._call(lambda storage: storage.delete(key))

    def exist(self, key: str) -> bool:
        """Whether the key has a value."""
        return bool(self._call(lambda storage: storage.exist(key)))

    def _call(self, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self.session.storage)
        except Exception:
            raise StorageFailed from None


@dataclass(frozen=True, slots=True)
class Buffering:
    """One request's view of its endpoint's buffer."""

    buffer: Buffer
    settings: Settings
    state: State

    @property
    def is_on(self) -> bool:
        """Whether the owner wants what cannot be delivered to be stored."""
        return self.settings.buffer == "on"

    def deadline_of_delivery(self, deadline: float) -> float:
        """When to give up delivering, so that there is time to store."""
        return deadline - RESERVE_S if self.is_on else deadline

    def keep_traces(self, traces: Sequence[Trace], reason: TryAgain) -> None:
        """Stores traces that Langfuse cannot take now.

        Raises:
            TryAgain: they could not be stored either: `reason`.
        """
        pieces = [piece for payload in pieces_of(traces, self.settings) for piece in payload]
        self.keep(pieces, traces[0].id, reason)

    def keep(
        self, pieces: Iterable[Piece[Any]], trace_id: str, reason: TryAgain, sender: Mapping[str, str] | None = None
    ) -> None:
        """Stores encoded spans that Langfuse cannot take now.

        Raises:
            TryAgain: they could not be stored either: `reason`.
        """
        if not self.is_on:
            raise reason
        for piece in pieces:
            item = Item(piece.body, trace_id, len(piece.items), self.state.wall(), reason.code, sender=sender or {})
            try:
                self.buffer.store(item)
            except StorageFailed:
                raise reason from None

    def drain(self, deadline: float) -> int:
        """Delivers what is stored until `deadline`; how many requests were.

        Raises:
            StorageFailed: nothing is lost by it.
        """
        clock = self.state.monotonic

        def deliver(item: Item) -> None:
            redeliver(item.body, self.settings, self.state, deadline, item.sender)

        return self.buffer.drain(deliver, lambda: clock() >= deadline)

    def drain_beside(self, deadline: float) -> None:
        """As `drain`, of a request that came for something else: in little time, and without a word."""
        if not self.is_on or not self.buffer.writer.pending:
            return
        try:
            self.drain(min(deadline, self.state.monotonic() + DRAIN_S))
        except StorageFailed:
            return


def buffering(session: Session, settings: Settings, state: State) -> Buffering:
    """The buffer of the endpoint that a request came to."""
    endpoint = session.endpoint_id or "endpoint"
    writer = state.writers.get(endpoint)
    if writer is None:
        writer = state.writers[endpoint] = Writer(lock=threading.Lock())
    return Buffering(Buffer(DifyStorage(session), f"{endpoint}:", writer, state.wall), settings, state)
