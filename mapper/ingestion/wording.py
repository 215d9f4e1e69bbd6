"""What Dify's built-in tracing did to inputs and outputs on their way, undone."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from mapper.content import chat_view, messages, present, without_vectors
from payloads.ingestion import ObservationBody, TraceBody


def said(value: Any, role: str) -> Any:
    """Text that Dify wrapped into one chat message, as text again."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        only = value[0]
        if only.keys() == {"role", "content"} and only["role"] == role and isinstance(only["content"], str):
            return only["content"]
    return value


def root_input_and_output(body: TraceBody) -> tuple[Any, Any, dict[str, Any]]:
    """Input, output, and what else Dify stuffed into the input."""
    tags = body.tags or ()
    result = said(body.output, "assistant")
    if isinstance(body.input, dict) and "message" in body.input and "message_tokens" in body.input:
        rest = {name: value for name, value in body.input.items() if name not in ("message", "files")}
        rest = {name: value for name, value in rest.items() if value is not None and value != ""}
        return messages(body.input["message"]), result, present(file_list=body.input.get("files"), **rest)
    if "message" in tags and "workflow" in tags and isinstance(body.input, dict):
        return *chat_view(body.input.get("query") or body.input.get("sys.query"), body.input, result), {}
    return body.input, result, {}


def _plain(body: ObservationBody) -> tuple[Any, Any]:
    return messages(body.input), body.output


def _answer(body: ObservationBody) -> tuple[Any, Any]:
    return messages(body.input), said(body.output, "assistant")


def _moderation(body: ObservationBody) -> tuple[Any, Any]:
    """Dify repeats the inputs inside the verdict."""
    verdict = body.output
    if isinstance(verdict, dict) and verdict.get("inputs") == body.input:
        verdict = {name: value for name, value in verdict.items() if name != "inputs"}
    return body.input, verdict


def _questions(body: ObservationBody) -> tuple[Any, Any]:
    """Dify writes the list of questions as Python would print it."""
    printed = said(body.output, "assistant")
    try:
        questions = ast.literal_eval(printed) if isinstance(printed, str) else printed
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        questions = printed
    return messages(body.input), questions if isinstance(questions, list) else printed


def _documents(body: ObservationBody) -> tuple[Any, Any]:
    found = body.output
    if isinstance(found, dict) and "documents" in found:
        found = found | {"documents": without_vectors(found["documents"])}
    return said(body.input, "user"), found


_BY_NAME: dict[str, Callable[[ObservationBody], tuple[Any, Any]]] = {
    "llm": _answer,
    "moderation": _moderation,
    "suggested_question": _questions,
    "dataset_retrieval": _documents,
}


def input_and_output(body: ObservationBody, *, is_tool: bool = False) -> tuple[Any, Any]:
    """Input and output of an observation; Dify's own are known by their names, a tool is named for itself."""
    return _BY_NAME.get(body.name or "", _answer if is_tool else _plain)(body)
