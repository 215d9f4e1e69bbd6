"""Answers in Langfuse's form, for clients that take this endpoint for a Langfuse server."""

from __future__ import annotations

from werkzeug import Response

from endpoints.answer import Problem, respond, respond_problem

INVALID_CREDENTIALS = "Invalid credentials. Confirm that you've configured the correct host."


def respond_as_langfuse(found: Problem) -> Response:
    """An error as Langfuse's own clients read it: a `message`, and beside it our `error`.

    Keys that are wrong here, or at Langfuse itself, get exactly what Langfuse says to wrong keys.
    """
    if found.status == 401 or found.code == "wrong_keys":  # noqa: PLR2004 - HTTP
        return respond(401, {"message": INVALID_CREDENTIALS})
    return respond_problem(found, {"message": found.message})
