"""The `message_data` of a payload, without what stands elsewhere in the trace."""

from __future__ import annotations

from typing import Any

from mapper.content import present
from payloads.trace_info import TraceInfo

_ELSEWHERE = ("message", "answer", "message_metadata")
"""Input and output of the message's own observation, and a container whose usage becomes usage and cost."""


def message_fields(payload: TraceInfo) -> dict[str, Any] | None:
    """Dify's message record for metadata: as it was sent, less the prompt, the answer and the usage."""
    sent = payload.raw.get("message_data")
    if not isinstance(sent, dict):
        return None
    fields = {name: value for name, value in sent.items() if name not in _ELSEWHERE}
    message_metadata = sent.get("message_metadata")
    if isinstance(message_metadata, dict):
        rest = {name: value for name, value in message_metadata.items() if name != "usage"}
        fields["message_metadata"] = rest or None
    return present(**fields)
