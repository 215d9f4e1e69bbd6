"""Parent links from the outside world, which may name strangers or run in circles."""

from __future__ import annotations

from collections.abc import Mapping


def parents_first(parent_of: Mapping[str, str | None]) -> dict[str, str | None]:
    """Each key with a parent that is a key too, or None; parents before children, in linear time.

    An unknown parent becomes None. A circle is cut open at the member that is listed first.
    """
    children: dict[str, list[str]] = {}
    for key, parent in parent_of.items():
        if parent is not None:
            children.setdefault(parent, []).append(key)
    placed: dict[str, str | None] = {}
    tops = [key for key, parent in parent_of.items() if parent not in parent_of]
    for top in (*tops, *parent_of):
        waiting: list[tuple[str, str | None]] = [(top, None)]
        while waiting:
            key, parent = waiting.pop()
            if key in placed:
                continue
            placed[key] = parent
            waiting += [(child, key) for child in reversed(children.get(key, ()))]
    return placed
