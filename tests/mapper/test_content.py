from mapper.content import messages, without_vectors


def test_text_becomes_content() -> None:
    assert messages([{"role": "user", "text": "hi", "files": []}]) == [{"role": "user", "content": "hi"}]


def test_one_message_alone_is_renamed_too() -> None:
    assert messages({"role": "user", "text": "hi"}) == {"role": "user", "content": "hi"}


def test_tool_calls_and_other_keys_stay() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert messages([{"role": "assistant", "text": "", "tool_calls": calls}]) == [
        {"role": "assistant", "content": "", "tool_calls": calls}
    ]


def test_files_become_content_parts() -> None:
    image = {"type": "image", "url": "https://files.example/a.png", "detail": "low"}
    audio = {"type": "audio", "data": "abc", "format": "mp3"}
    assert messages([{"role": "user", "text": "see", "files": [image, audio]}]) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "https://files.example/a.png", "detail": "low"}},
                audio,
            ],
        }
    ]


def test_an_image_that_dify_cut_is_not_shown_as_a_broken_picture() -> None:
    image = {"type": "image", "data": "data:image...[TRUNCATED]...AAA="}
    assert messages([{"role": "user", "text": "", "files": [image]}]) == [{"role": "user", "content": [image]}]


def test_what_is_no_message_stays() -> None:
    for value in ("text", None, {"a": 1}, [1, "x", {"text": "no role"}], {"role": "user", "content": "done"}):
        assert messages(value) == value


def test_vectors_are_left_out_at_every_depth() -> None:
    document = {"page_content": "a", "vector": [0.1], "children": [{"page_content": "b", "vector": [0.2]}]}
    assert without_vectors([document]) == [{"page_content": "a", "children": [{"page_content": "b"}]}]
    assert without_vectors(None) is None
