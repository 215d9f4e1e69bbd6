"""Which observation a legacy id names: the same one that Dify's payloads name."""

from __future__ import annotations

from typing import Any

from mapper import ids
from mapper.content import text
from payloads.ingestion import ObservationBody


def observation_id(trace: str, body: ObservationBody, raw: dict[str, Any], metadata: dict[str, Any]) -> str:
    """The id of an event's observation.

    Invariant: Dify's own ids decide (run, node execution, message); an event without an id gets one from its
    content. So the same event twice is the same observation.
    """
    if body.name == "llm" and (message_id := text(metadata.get("message_id"))):
        return ids.observation_id(trace, "llm", message_id)
    if body.id is None:
        return ids.observation_id(trace, body.name or "event", ids.content_digest(raw))
    return _named(trace, body.id, metadata)


def parent_id(trace: str, body: ObservationBody, metadata: dict[str, Any]) -> str:
    """The id of its parent; without one it hangs under the root."""
    if body.parent_observation_id is None:
        return ids.root_id(trace)
    return _named(trace, body.parent_observation_id, metadata)


def _named(trace: str, stable_id: str, metadata: dict[str, Any]) -> str:
    """What an id names, seen from the observation itself and from its children: a run, or anything else."""
    kind = "workflow" if stable_id == metadata.get("workflow_run_id") else "node"
    return ids.observation_id(trace, kind, stable_id)
