import gzip
import json

import pytest

from payloads.body import MAX_BODY_BYTES, read_items
from payloads.errors import BodyError, BodyTooLarge


def refusal(body: bytes, **headers: str) -> BodyError:
    with pytest.raises(BodyError) as caught:
        read_items(body, **headers)
    return caught.value


def test_one_object_is_one_item() -> None:
    assert read_items(b' {"a": 1} ') == [{"a": 1}]


def test_an_array_is_a_batch_of_its_items() -> None:
    assert read_items(b'[{"a": 1}, 2]') == [{"a": 1}, 2]


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/x-ndjson; charset=utf-8"])
def test_ndjson_is_a_batch_of_its_lines(content_type: str) -> None:
    assert read_items(b'{"a": 1}\n\n{"b": 2}\r\n', content_type) == [{"a": 1}, {"b": 2}]


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert read_items(b'\xef\xbb\xbf{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize("body", [b"", b"  \n", b"0\r\n\r\n"])
def test_an_empty_body_is_told_as_such(body: bytes) -> None:
    # b"0\r\n\r\n" is what Dify's daemon makes of an empty POST.
    assert refusal(body).code == "empty_body"


def test_an_empty_batch_is_told_as_such() -> None:
    assert refusal(b"[]").code == "empty_body"


def test_gzip_is_taken_in_one_member_or_several() -> None:
    first, second = gzip.compress(b'[{"a": 1},'), gzip.compress(b"2]")
    assert read_items(first + second, content_encoding="gzip") == [{"a": 1}, 2]


@pytest.mark.parametrize("body", [b'{"a": 1}', gzip.compress(b'{"a": 1}')[:-6], b"\x1f\x8b"])
def test_gzip_that_is_none_or_cut_is_told_as_such(body: bytes) -> None:
    assert refusal(body, content_encoding="gzip").code == "invalid_gzip"


def test_other_encodings_are_refused_by_name() -> None:
    error = refusal(b"x", content_encoding="br")
    assert (error.code, error.details[0].path) == ("unsupported_encoding", "Content-Encoding")


def test_a_body_at_the_daemons_cut_is_too_large() -> None:
    cut = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert isinstance(refusal(cut), BodyTooLarge)
    assert read_items(cut[:-2] + b'"') != []


def test_a_body_that_inflates_over_the_limit_is_too_large_without_inflating_it_all() -> None:
    bomb = gzip.compress(b" " * (200 * 1024 * 1024))
    assert isinstance(refusal(bomb, content_encoding="gzip"), BodyTooLarge)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"secret": tru', "is not JSON (line 1, column 14)"),
        (b'{"a": "\xff\xfe"}', "is not UTF-8"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "is nested deeper than 200 levels"),
        (b"[" * 10_000, "is nested deeper than 200 levels"),
        (b'{"a":' + b"9" * 5_000 + b"}", "holds a number that is too long"),
    ],
)
def test_what_cannot_be_read_says_where_and_shows_nothing(body: bytes, problem: str) -> None:
    error = refusal(body)
    assert error.details[0].problem == problem
    assert "secret" not in error.message


def test_one_unreadable_item_leaves_the_others() -> None:
    deep = b"[" * 300 + b"]" * 300
    items = read_items(b'[{"a": "x,]\\""}, {"b": \xff}, {"c": {}}, ' + deep + b', "end"]')
    assert [items[0], items[2], items[4]] == [{"a": 'x,]"'}, {"c": {}}, "end"]
    assert [type(items[index]) for index in (1, 3)] == [BodyError, BodyError]
    assert [items[index].details[0].path for index in (1, 3)] == ["[1]", "[3]"]


def test_one_bad_line_of_ndjson_leaves_the_others() -> None:
    items = read_items(b'{"a": 1}\n{oops\n{"b": 2}', "application/x-ndjson")
    assert [items[0], items[2]] == [{"a": 1}, {"b": 2}]
    assert isinstance(items[1], BodyError)


def test_an_array_that_never_closes_is_unreadable_as_a_whole() -> None:
    assert refusal(b'[{"a": 1}, {"b": 2').code == "invalid_json"


def test_half_an_emoji_is_replaced_not_refused() -> None:
    assert read_items(b'{"a": "cut \\ud83d off", "\\ud83d": ["\\ude00"]}') == [
        {"a": "cut \ufffd off", "\ufffd": ["\ufffd"]}
    ]


def test_nan_and_huge_integers_are_read() -> None:
    value = read_items(b'{"a": NaN, "b": ' + b"9" * 400 + b"}")[0]
    assert str(value["a"]) == "nan"
    assert value["b"] == int("9" * 400)


def test_a_string_of_5_mb_is_read() -> None:
    text = "ä" * 2_500_000
    assert read_items(json.dumps({"a": text}, ensure_ascii=False).encode()) == [{"a": text}]
