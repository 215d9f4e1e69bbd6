"""The one error of this room."""

from __future__ import annotations


class Unauthorized(Exception):
    """The request does not prove that it may send to this endpoint."""
