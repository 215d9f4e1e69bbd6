"""Inputs and outputs as Langfuse's chat view reads them, and metadata without holes."""

from __future__ import annotations

from typing import Any


def messages(value: Any) -> Any:
    """Dify's prompt messages with `text` renamed to `content` and files as content parts.

    Takes one message or a list of them; anything else comes back as it is.
    """
    if isinstance(value, list):
        return [_message(item) for item in value]
    return _message(value)


def _message(item: Any) -> Any:
    if not isinstance(item, dict) or "role" not in item:
        return item
    if "text" in item and "content" not in item:
        said = item["text"]
    elif "files" in item and isinstance(item.get("content"), str):  # renamed on its way, by Dify's own tracing
        said = item["content"]
    else:
        return item
    message: dict[str, Any] = {"role": item["role"], "content": said}
    message |= {key: value for key, value in item.items() if key not in {"role", "text", "content", "files"}}
    files = item.get("files")
    if isinstance(files, list) and files:
        words = [{"type": "text", "text": said}] if said else []
        message["content"] = words + [_content_part(file) for file in files]
    elif files:
        message["files"] = files
    return message


def _content_part(file: Any) -> Any:
    """An image with a whole URL becomes OpenAI's `image_url`; other files stay as Dify describes them.

    Dify saves inline images cut ("...[TRUNCATED]..."): as an URL they would show as a broken picture.
    """
    if not isinstance(file, dict) or file.get("type") != "image":
        return file
    url = next((file[key] for key in ("url", "data", "remote_url") if _is_whole_url(file.get(key))), None)
    if url is None:
        return file
    detail = {"detail": file["detail"]} if file.get("detail") else {}
    return {"type": "image_url", "image_url": {"url": url} | detail}


def _is_whole_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "data:")) and "[TRUNCATED]" not in value


def chat_view(query: Any, inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Input and output of a chatflow run as its user sees it: the question, and the answer's text."""
    answer = outputs.get("answer") if isinstance(outputs, dict) else None
    return present(query=query, inputs=inputs), answer if isinstance(answer, str) and answer else outputs


def without_vectors(documents: Any) -> Any:
    """Retrieved documents without their embedding vectors: thousands of numbers that no one reads."""
    if isinstance(documents, list):
        return [without_vectors(document) for document in documents]
    if not isinstance(documents, dict):
        return documents
    kept = {key: value for key, value in documents.items() if key != "vector"}
    if isinstance(kept.get("children"), list):
        kept["children"] = without_vectors(kept["children"])
    return kept


def text(value: Any) -> str | None:
    """`value` where it is a string with something in it."""
    return value if isinstance(value, str) and value else None


def present(**fields: Any) -> dict[str, Any]:
    """The fields that have a value. A field that the payload lacks is absent in Langfuse, never null."""
    return {name: value for name, value in fields.items() if value is not None}
