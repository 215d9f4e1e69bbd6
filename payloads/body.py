"""The bytes of a request body, as JSON values: one, or the items of a batch.

An item that cannot be read stands in the list as its error, so that what is valid beside it is not lost.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from payloads.errors import BodyError, BodyTooLarge, Detail

MAX_BODY_BYTES = 10 * 1024 * 1024
"""What Dify's plugin daemon lets through, as sent and inflated. It cuts longer bodies without a word."""

MAX_DEPTH = 200
"""Nesting that the JSON parser takes (`pydantic_core.from_json`)."""

type JsonValue = Any

_EMPTY = b"0\r\n\r\n"
"""What an empty POST looks like after the daemon's chunked encoding, which the SDK does not undo."""

_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)


def read_items(body: bytes, content_type: str = "", content_encoding: str = "") -> list[JsonValue]:
    """The JSON values in `body`: one, or the items of a batch (a JSON array, or NDJSON).

    An item that cannot be read is a `BodyError` in the list.

    Raises:
        BodyError: nothing in the body can be told apart.
        BodyTooLarge: over `MAX_BODY_BYTES`, as sent or inflated, or cut by the daemon.
    """
    text = inflate(body, content_encoding)
    text = text.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise BodyError("empty_body", "The request has no body. Send a trace payload as JSON.")
    if content_type.partition(";")[0].strip().lower() in _NDJSON:
        lines = [line for line in text.split(b"\n") if line.strip()]
        return [_parse_or_error(line, f"[{index}]") for index, line in enumerate(lines)]
    if not text.startswith(b"["):
        return [parse_json(text)]
    items: list[JsonValue]
    try:
        items = parse_json(text)
    except BodyError as error:
        # One unreadable item must not take the others with it: cut the array apart and parse item by item.
        slices = list(_array_slices(text))
        if not slices:
            raise error from None
        items = [_parse_or_error(item, f"[{index}]") for index, item in enumerate(slices)]
    if not items:
        raise BodyError("empty_body", "The batch is empty. Send at least one trace payload.")
    return items


def inflate(body: bytes, content_encoding: str) -> bytes:
    """A body as its sender wrote it: gunzipped; empty where Dify's daemon has left a chunk's end of it.

    Raises:
        BodyError: another encoding than gzip, or gzip that is none.
        BodyTooLarge: over `MAX_BODY_BYTES`, as sent or inflated, or cut by the daemon.
    """
    encoding = content_encoding.strip().lower()
    if len(body) >= MAX_BODY_BYTES:
        raise BodyTooLarge(
            "body_too_large",
            f"The body reached {MAX_BODY_BYTES} bytes, where Dify cuts it off. Send fewer payloads in a request.",
        )
    if body == _EMPTY:
        return b""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise BodyError(
            "unsupported_encoding",
            "The body's encoding is not supported. Send it plain or with Content-Encoding: gzip.",
            [Detail("Content-Encoding", "must be gzip or absent")],
        )
    return _gunzip(body)


def _gunzip(body: bytes) -> bytes:
    inflated = b""
    while body:
        decoder = zlib.decompressobj(wbits=31)
        try:
            inflated += decoder.decompress(body, MAX_BODY_BYTES + 1 - len(inflated))
        except zlib.error:
            raise BodyError(
                "invalid_gzip", "Content-Encoding says gzip, but the body is not. Compress it, or drop the header."
            ) from None
        if len(inflated) > MAX_BODY_BYTES or decoder.unconsumed_tail:
            raise BodyTooLarge(
                "body_too_large",
                f"The body inflates to more than {MAX_BODY_BYTES} bytes. Send fewer payloads in a request.",
            )
        if not decoder.eof:
            raise BodyError("invalid_gzip", "The gzip body ends too early: it was cut on its way. Send it again.")
        body = decoder.unused_data
    return inflated


def _parse_or_error(text: bytes, path: str) -> JsonValue | BodyError:
    try:
        return parse_json(text, path)
    except BodyError as error:
        return error


def parse_json(text: bytes, path: str = "body") -> JsonValue:
    """One JSON value.

    Raises:
        BodyError: it is none; says where, shows nothing.
    """
    try:
        return from_json(text)
    except ValueError as error:
        reason = str(error)
    if "hex escape" in reason:
        # A cut emoji: JavaScript senders write half of one. Readable by json, unwritable as UTF-8.
        try:
            return _without_surrogates(json.loads(text))
        except (ValueError, RecursionError):
            pass
    raise BodyError("invalid_json", *_explain(reason, path))


def _explain(reason: str, path: str) -> tuple[str, list[Detail]]:
    """Words for a parser's complaint. The parser names lines and columns, never content."""
    if "recursion" in reason:
        problem = f"is nested deeper than {MAX_DEPTH} levels"
    elif "unicode" in reason or "utf-8" in reason.lower():
        problem = "is not UTF-8"
    elif "out of range" in reason:
        problem = "holds a number that is too long"
    else:
        where = re.search(r"at line (\d+) column (\d+)", reason)
        problem = "is not JSON" + (f" (line {where[1]}, column {where[2]})" if where else "")
    return f"The body cannot be read: it {problem}. Send JSON in UTF-8.", [Detail(path, problem)]


def _without_surrogates(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _array_slices(text: bytes) -> Iterator[bytes]:
    """The top-level items of a JSON array, cut apart at its commas; nothing if the array never closes.

    Looks at strings and brackets only, so it needs no recursion and no valid items.
    """
    depth, start, slices = 0, 1, []
    for token in _TOKEN.finditer(text):
        mark = text[token.start() : token.start() + 1]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                slices.append(text[start : token.start()])
                break
        elif mark == b"," and depth == 1:
            slices.append(text[start : token.start()])
            start = token.end()
    if depth == 0 and text[token.end() :].strip() == b"":
        yield from slices
