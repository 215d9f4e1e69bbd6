"""Deterministic ids: the same payload names the same trace and observations, on every process, in any order.

An observation id always hashes its trace in: Langfuse v3 keys observations by id within a project. It is never
a prefix of a UUID: time-ordered UUIDs share theirs.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX_32 = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_NO_TRACE = "0" * 32  # OpenTelemetry's invalid trace id


def trace_id(key: str) -> str:
    """32 hex digits for a trace key.

    Invariant: a UUID gives its hex digits, 32 hex digits give themselves, anything else the first 16 bytes of
    its sha256, which is what `Langfuse.create_trace_id(seed=key)` gives.
    """
    if _UUID.fullmatch(key) or _HEX_32.fullmatch(key):
        digits = key.replace("-", "").lower()
        if digits != _NO_TRACE:
            return digits
    return hashlib.sha256(_utf8(key)).hexdigest()[:32]


def root_id(trace: str) -> str:
    """16 hex digits: the root observation of a trace. Depends on the trace id alone, so that children find it."""
    return _observation_id(f"{trace}:root")


def observation_id(trace: str, kind: str, stable_id: str) -> str:
    """16 hex digits: an observation other than the root.

    Invariant: depends on the trace id, the kind (`node`, `llm`, `tool`, ...) and an id that Dify keeps stable.
    """
    return _observation_id(f"{trace}:{kind}:{stable_id}")


def content_digest(payload: dict[str, Any]) -> str:
    """64 hex digits: a stable id for payloads to which Dify gives none.

    Invariant: depends on the JSON value only, not on key order or white space.
    """
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(_utf8(canonical)).hexdigest()


def _observation_id(seed: str) -> str:
    return hashlib.sha256(_utf8(seed)).hexdigest()[:16]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
