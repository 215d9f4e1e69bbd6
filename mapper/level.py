"""Dify's many words for "how it went", as Langfuse's level and status message."""

from __future__ import annotations

from mapper.observation import Level

_LEVELS: dict[str, Level] = {
    "failed": "ERROR",
    "error": "ERROR",
    "exception": "WARNING",  # a node error that the workflow handled
    "retry": "WARNING",
    "stopped": "WARNING",
    "partial-succeeded": "WARNING",
    "partial_succeeded": "WARNING",
}


def level(status: str | None, error: str | None) -> Level:
    """The level for a status (of a run, a node or a message) and an error text ("" or None is none)."""
    return _LEVELS.get(status or "") or ("ERROR" if error else "DEFAULT")


def status_message(of_level: Level, *errors: str | None) -> str | None:
    """The first error text there is: a node's own before its run's. Nothing where nothing went wrong."""
    return None if of_level == "DEFAULT" else next((error for error in errors if error), None)
