"""What one account's legacy events need to know of each other, remembered in the process for a while.

Dify's built-in tracing sends each event in a request of its own, and only the first tells of user and session.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from mapper.ingestion import KnownTrace
from payloads.ingestion import Event
from provider.state import State


@dataclass(frozen=True, slots=True)
class AccountMemory:
    """A `mapper.ingestion.Memory` that holds one account's entries apart from all others'."""

    account: str
    state: State

    def trace(self, trace_id: str) -> KnownTrace | None:
        """The trace-create of a trace."""
        known: KnownTrace | None = self.state.known_traces.get((self.account, trace_id))
        return known

    def remember_trace(self, trace_id: str, known: KnownTrace) -> None:
        """Keeps it for the events that follow."""
        self.state.known_traces[self.account, trace_id] = known

    def event(self, trace_id: str, name: str) -> Event | None:
        """An earlier event about the same thing."""
        held = self.state.events.get((self.account, trace_id, name))
        return held[1] if held else None

    def remember_event(self, trace_id: str, name: str, event: Event) -> None:
        """Keeps it for updates, unless it is larger than all that may be kept."""
        try:
            self.state.events[self.account, trace_id, name] = len(to_json(event.raw)), event
        except ValueError:  # cachetools: value too large
            self.state.events.pop((self.account, trace_id, name), None)
