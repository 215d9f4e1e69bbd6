"""An observation that is larger than a request may be still arrives, with its largest texts cut.

Traces that are too large as a whole are split when they are delivered: nothing is cut for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from mapper.observation import Observation, Trace
from policy.options import PolicyOptions

MAX_OBSERVATION_BYTES = 3_600_000
"""Of input, output, metadata and status message as JSON: below the 4 MB of a request, with room for the rest."""

_MARKER = "... [truncated: {} bytes]"
_MARKER_BYTES = 40
_FIELDS = ("input", "output", "metadata", "status_message")
_ROUNDS = 4


def fit(trace: Trace, _options: PolicyOptions) -> Trace:
    """`trace` with each observation small enough for a request."""
    if all(_size(each) <= MAX_OBSERVATION_BYTES for each in trace.observations):
        return trace
    return replace(trace, observations=tuple(_fitted(each) for each in trace.observations))


def _size(observation: Observation) -> int:
    return sum(_json_size(getattr(observation, name)) for name in _FIELDS)


def _json_size(value: Any) -> int:
    return len(to_json(value, inf_nan_mode="strings"))


def _fitted(observation: Observation) -> Observation:
    size = _size(observation)
    if size <= MAX_OBSERVATION_BYTES:
        return observation
    fields = {name: getattr(observation, name) for name in _FIELDS}
    cut: dict[str, int] = {}
    budget = MAX_OBSERVATION_BYTES
    for _ in range(_ROUNDS):
        limit = limit_of(sorted(_text_sizes(fields), reverse=True), size - budget)
        fields = {name: cut_texts(value, name, limit, cut) for name, value in fields.items()}
        size = sum(map(_json_size, fields.values()))
        if size <= MAX_OBSERVATION_BYTES:
            break
        budget = budget * 9 // 10  # escapes make some texts longer as JSON than they are
    else:
        # Not the texts, but the number of things: what cannot be cut in place is cut as a whole.
        for name in _FIELDS[:2]:
            whole = to_json(fields[name], inf_nan_mode="strings").decode()
            fields[name] = cut_texts(whole, name, MAX_OBSERVATION_BYTES // 8, cut)
        fields["metadata"] = fields["metadata"] if _json_size(fields["metadata"]) < MAX_OBSERVATION_BYTES // 8 else {}
    listed = [{"path": path, "bytes": original} for path, original in cut.items()]
    return replace(observation, **fields | {"metadata": fields["metadata"] | {"truncated": listed}})


def _text_sizes(value: Any) -> Iterator[int]:
    if isinstance(value, str):
        yield len(value.encode())
    elif isinstance(value, dict):
        for item in value.values():
            yield from _text_sizes(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _text_sizes(item)


def limit_of(sizes: list[int], excess: int) -> int:
    """The length to which all longer texts are cut, so that `excess` bytes go: the largest give first."""
    gone = 0
    sizes = sizes or [0]
    for count, (size, following) in enumerate(zip(sizes, [*sizes[1:], 0], strict=True), start=1):
        gone += (size - following) * count
        if gone >= excess + _MARKER_BYTES * count:
            return following + (gone - excess - _MARKER_BYTES * count) // count
    return 0


def cut_texts(value: Any, path: str, limit: int, cut: dict[str, int]) -> Any:
    """`value` with every text over `limit` bytes cut there; notes path and original size of each in `cut`."""
    if isinstance(value, str):
        encoded = value.encode()
        if len(encoded) <= max(limit, 2 * _MARKER_BYTES):
            return value
        original = cut.setdefault(path, len(encoded))
        return encoded[:limit].decode(errors="ignore") + _MARKER.format(original)
    if isinstance(value, dict):
        return {name: cut_texts(item, f"{path}.{name}", limit, cut) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [cut_texts(item, f"{path}[{index}]", limit, cut) for index, item in enumerate(value)]
    return value
