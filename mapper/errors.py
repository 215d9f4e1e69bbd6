"""The one error of this room."""

from __future__ import annotations


class MappingError(Exception):
    """A payload that cannot become a trace: it lacks what would identify it.

    `path` names the field relative to the payload, `problem` says what it must be.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path
        self.problem = problem
