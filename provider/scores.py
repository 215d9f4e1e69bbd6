"""Scores, which Langfuse still takes as legacy events, under the ids that this plugin gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from mapper import ids
from provider.delivery import judge, parsed
from provider.errors import Refused
from provider.exchange import exchange
from provider.settings import Settings
from provider.state import State

_PATH = "/api/public/ingestion"
_TIMEOUT_S = 8.0


def pass_on_score(
    event_id: str, timestamp: datetime | None, score: Mapping[str, Any], settings: Settings, state: State
) -> None:
    """Has Langfuse accept a score: an event's id, its time and its body.

    Raises:
        Refused, TryAgain: it did not.
    """
    body = dict(score)
    if isinstance(trace_id := body.get("traceId"), str):
        body["traceId"] = ids.trace_id(trace_id)
        if isinstance(observation_id := body.get("observationId"), str):
            body["observationId"] = ids.observation_id(body["traceId"], "node", observation_id)
    event = {"id": event_id, "type": "score-create", "timestamp": timestamp, "body": body}
    content = to_json({"batch": [event]})
    headers = {"content-type": "application/json"}
    answer = exchange("POST", _PATH, settings, state, seconds=_TIMEOUT_S, content=content, headers=headers)
    judge(answer, state)
    said = parsed(answer)
    if not isinstance(said, dict) or said.get("errors"):
        raise Refused("rejected", "Langfuse rejected the score.")
