from typing import Any

import pytest

from provider.errors import SettingsError
from provider.settings import DEFAULT_HOST, parse_settings

KEYS = {"secret_key": "sk-lf-x", "public_key": "pk-lf-x"}


def problems(**settings: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(KEYS | settings)
    assert "s3cret" not in str(caught.value) + str(caught.value.fields)
    return dict(caught.value.fields)


def test_two_keys_are_enough_and_the_rest_has_defaults() -> None:
    settings = parse_settings(KEYS)
    assert (settings.host, settings.tags, settings.trace_names, settings.timezone.key) == (
        DEFAULT_HOST, (), "plain", "UTC"
    )  # fmt: skip
    assert (settings.ingest_token, settings.environment, settings.release) == (None, None, None)


@pytest.mark.parametrize("nothing", ["", None])
def test_what_the_form_left_empty_takes_its_default(nothing: Any) -> None:
    names = ("host", "ingest_token", "environment", "release", "tags", "timezone", "trace_names")
    assert parse_settings(KEYS | dict.fromkeys(names, nothing)) == parse_settings(KEYS)


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("https://Langfuse.Example/", "https://langfuse.example"),
        (" https://langfuse.example:3000 ", "https://langfuse.example:3000"),
        ("https://x.example/langfuse/", "https://x.example/langfuse"),
        ("https://cloud.langfuse.com/project/abc/traces?x=1#y", "https://cloud.langfuse.com"),
        ("https://cloud.langfuse.com/api/public/otel", "https://cloud.langfuse.com"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ],
)
def test_a_pasted_address_is_trimmed_to_the_host(pasted: str, host: str) -> None:
    assert parse_settings(KEYS | {"host": pasted}).host == host


@pytest.mark.parametrize(
    "host", ["cloud.langfuse.com", "ftp://x", "https://", "https://a b", "http://x:99999", 7, "s3cret\n"]
)
def test_an_address_that_is_none_is_refused(host: Any) -> None:
    assert list(problems(host=host)) == ["host"]


def test_credentials_do_not_belong_into_the_host() -> None:
    assert "credentials" in problems(host="https://me:s3cret@langfuse.example")["host"]


@pytest.mark.parametrize("name", ["secret_key", "public_key"])
@pytest.mark.parametrize("value", ["", "   ", None, 5, "s3cret with blanks", "s3cret:colon", "s3crét"])
def test_a_key_that_cannot_be_one_is_refused_by_name(name: str, value: Any) -> None:
    assert list(problems(**{name: value})) == [name]


def test_missing_keys_are_both_named() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings({})
    assert dict(caught.value.fields) == {"secret_key": "is missing", "public_key": "is missing"}


def test_swapped_keys_are_noticed() -> None:
    found = problems(secret_key="pk-lf-s3cret", public_key="sk-lf-s3cret")
    assert all("swapped" in problem for problem in found.values())


def test_blanks_around_keys_are_a_pasting_accident() -> None:
    assert parse_settings({"secret_key": " sk-lf-x\n", "public_key": "pk-lf-x "}) == parse_settings(KEYS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ingest_token", "s3cret-short"),
        ("ingest_token", ["s3cret"]),
        ("environment", "Pro duction"),
        ("environment", "langfuse-x"),
        ("environment", "x" * 41),
        ("release", "x" * 201),
        ("release", {}),
        ("tags", 5),
        ("tags", "x" * 201),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("timezone", "Europe"),
        ("trace_names", "s3cret"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    assert list(problems(**{name: value})) == [name]


def test_the_token_must_not_be_one_of_the_keys() -> None:
    same = "a-token-that-is-the-key"
    assert list(problems(secret_key=same, ingest_token=same)) == ["ingest_token"]


def test_tags_are_separated_by_commas_and_each_counts_once() -> None:
    assert parse_settings(KEYS | {"tags": " a, b ,,a"}).tags == ("a", "b")


def test_a_secret_shows_in_no_text_of_the_settings() -> None:
    settings = parse_settings(KEYS | {"secret_key": "sk-lf-s3cret", "ingest_token": "s3cret-token-of-16"})
    assert "s3cret" not in repr(settings) + str(settings) + settings.account


def test_accounts_differ_in_host_public_key_and_secret() -> None:
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"host": "https://other.example"},
        {"public_key": "pk-lf-y"},
        {"secret_key": "sk-lf-y"},
    )
    assert len({parse_settings(KEYS | variant).account for variant in variants}) == 4
