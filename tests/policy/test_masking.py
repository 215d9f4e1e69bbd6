import json
from collections import Counter
from typing import Any

import pytest

import policy
from mapper.observation import Observation, Trace
from policy.masking import mask_text
from policy.options import Masking, PolicyOptions
from tests.policy.labelled_texts import VALUES, labelled, made

EMAIL, KEY = "ana@example.com", "sk-" + made(40)


def observation(**fields: Any) -> Observation:
    base: dict[str, Any] = {"id": "0" * 15 + "1", "parent_id": None, "type": "span", "name": "n"}
    return Observation(**base | {"start_time": 1, "end_time": 2} | fields)


def masked(masking: Masking = "personal", **fields: Any) -> Observation:
    trace = Trace(id="0" * 31 + "1", name="t", observations=(observation(**fields),))
    result = policy.apply(trace, PolicyOptions(masking=masking))
    assert result is not None
    return result.observations[0]


def figures() -> dict[str, tuple[float, float]]:
    """Recall and precision of each kind on the labelled texts."""
    hits: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    claimed: Counter[str] = Counter()
    for text, kind, value in labelled():
        result, found = mask_text(text, "personal")
        claimed.update(set(found))
        if kind is not None:
            wanted[kind] += 1
            hits[kind] += kind in found and (not value or value not in result)
    return {kind: (hits[kind] / wanted[kind], hits[kind] / claimed[kind] if claimed[kind] else 0.0) for kind in wanted}


@pytest.mark.parametrize("kind", [*VALUES, "password", "bearer_token", "url_credentials", "signed_url", "private_key"])
def test_recall_and_precision_on_the_labelled_texts_do_not_fall(kind: str) -> None:
    recall, precision = figures()[kind]
    missed = [text for text, label, value in labelled() if label == kind and kind not in mask_text(text, "personal")[1]]
    wrong = [text for text, label, value in labelled() if label != kind and kind in mask_text(text, "personal")[1]]
    assert recall >= 0.99, missed
    assert precision >= 0.97, wrong


def test_secrets_leaves_personal_data_and_off_leaves_everything() -> None:
    text = f"{EMAIL} {KEY}"
    assert masked("secrets", input=text).input == f"{EMAIL} [masked: api_key]"
    assert masked("off", input=text).input == text
    assert masked("personal", input=text).input == "[masked: email] [masked: api_key]"


def test_structure_is_kept_at_every_depth_and_in_json_inside_strings() -> None:
    inside = json.dumps({"to": EMAIL, "n": [1, None, True]})
    result = masked(input={"a": [{"b": EMAIL}, 1.5, None], "json": inside}).input
    assert result["a"] == [{"b": "[masked: email]"}, 1.5, None]
    assert json.loads(result["json"]) == {"to": "[masked: email]", "n": [1, None, True]}


def test_values_under_secret_like_keys_go_whatever_they_look_like() -> None:
    keys = (
        "password",
        "api_key",
        "apiKey",
        "Authorization",
        "X-Api-Key",
        "access_token",
        "clientSecret",
        "db_password",
    )
    result = masked("secrets", input=dict.fromkeys(keys, "plain")).input
    assert set(result.values()) == {"[masked: secret]"}


def test_counts_and_harmless_keys_stay() -> None:
    harmless = {
        "max_tokens": 5,
        "total_tokens": "12",
        "token_count": 3,
        "public_key": "pk",
        "author": "Ana",
        "tokens": ["a"],
    }
    assert masked("secrets", input=harmless).input == harmless


def test_names_tags_errors_and_users_are_masked_too() -> None:
    trace = Trace(
        id="0" * 31 + "1",
        name=f"for {EMAIL}",
        observations=(observation(name=f"mail {EMAIL}", status_message=f"no such user {EMAIL}"),),
        user_id=EMAIL,
        tags=(EMAIL, "fine"),
        metadata={"note": EMAIL},
    )
    result = policy.apply(trace, PolicyOptions(masking="personal"))
    assert result is not None
    assert EMAIL not in str(result)
    assert (result.tags, result.user_id) == (("[masked: email]", "fine"), "[masked: email]")


def test_the_metadata_lists_paths_and_kinds_and_never_values() -> None:
    result = masked(input={"to": [EMAIL]}, output=f"key {KEY}", metadata={"password": "x"})
    assert result.metadata["masked"] == [
        {"path": "input.to[0]", "kind": "email"},
        {"path": "output", "kind": "api_key"},
        {"path": "metadata.password", "kind": "secret"},
    ]
    assert "masked" not in masked(input="nothing to see").metadata


def test_a_secret_in_a_key_is_masked() -> None:
    assert KEY not in str(masked("secrets", input={KEY: 1}))


def test_masking_twice_changes_nothing() -> None:
    once = masked(input=f"{EMAIL} password: hunter22x https://a:b1c2@x.example")
    assert masked(input=once.input).input == once.input


def test_a_text_of_megabytes_is_masked_in_linear_time() -> None:
    text = ("Ein ganz gewöhnlicher Satz, 12 Wörter, 3.5 Zeilen und nichts weiter. " * 30_000) + EMAIL
    assert str(masked(input=text).input).endswith("[masked: email]")
