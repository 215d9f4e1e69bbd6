import hashlib

from langfuse import Langfuse

from mapper import ids

UUID = "B0000000-0000-4000-8000-000000000010"


def test_a_uuid_gives_its_digits() -> None:
    assert ids.trace_id(UUID) == "b0000000000040008000000000000010"


def test_32_hex_digits_are_taken_as_they_are() -> None:
    assert ids.trace_id("0af7651916cd43dd8448eb211c80319c") == "0af7651916cd43dd8448eb211c80319c"


def test_anything_else_gives_what_langfuses_own_seed_gives() -> None:
    for key in ("order-778", "会话", "x" * 500, "{" + UUID + "}"):
        assert ids.trace_id(key) == Langfuse.create_trace_id(seed=key)


def test_the_invalid_trace_id_is_never_made() -> None:
    assert ids.trace_id("0" * 32) != "0" * 32


def test_root_and_observation_ids_follow_the_written_rule() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert ids.root_id(trace) == hashlib.sha256(f"{trace}:root".encode()).digest()[:8].hex()
    assert ids.observation_id(trace, "node", "n-ü") == hashlib.sha256(f"{trace}:node:n-ü".encode()).digest()[:8].hex()


def test_the_same_node_in_another_trace_has_another_id() -> None:
    # Langfuse v3 keys observations by id within a project.
    assert ids.observation_id("a" * 32, "node", "n") != ids.observation_id("b" * 32, "node", "n")


def test_a_content_digest_does_not_depend_on_key_order() -> None:
    assert ids.content_digest({"a": 1, "b": [2, {"c": "ü"}]}) == ids.content_digest({"b": [2, {"c": "ü"}], "a": 1})
    assert ids.content_digest({"a": 1}) != ids.content_digest({"a": "1"})
