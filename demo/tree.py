"""Observations, as they are read back, in the order and depth of their tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any


def walk(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its depth, parents before children, siblings by start time. Orphans stand at the top."""
    known = {row["id"] for row in rows}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["startTime"], row["endTime"])):
        parent = row["parentObservationId"]
        children.setdefault(parent if parent in known else None, []).append(row)
    waiting = [(0, row) for row in reversed(children.get(None, []))]
    while waiting:
        depth, row = waiting.pop()
        yield depth, row
        waiting += [(depth + 1, child) for child in reversed(children.get(row["id"], []))]


def seconds(row: dict[str, Any]) -> float:
    """How long an observation took."""
    return (datetime.fromisoformat(row["endTime"]) - datetime.fromisoformat(row["startTime"])).total_seconds()


def tokens(row: dict[str, Any]) -> int | None:
    """Its total tokens, where it has any."""
    return (row.get("usageDetails") or {}).get("total")


def cost(row: dict[str, Any]) -> float | None:
    """Its total cost in USD, where it has any."""
    return (row.get("costDetails") or {}).get("total")
