import pytest

from demo.langfuse import StandInProcess
from provider import account
from provider.errors import Refused, TryAgain
from provider.settings import Settings, parse_settings
from provider.state import Project, State


def test_the_keys_open_their_project(settings: Settings, state: State) -> None:
    assert account.project(settings, state) == Project("demo", "Demo project")


def test_wrong_keys_are_refused(langfuse: StandInProcess, state: State) -> None:
    wrong = parse_settings(langfuse.settings() | {"secret_key": "sk-lf-wrong"})
    with pytest.raises(Refused) as caught:
        account.project(wrong, state)
    assert caught.value.code == "wrong_keys"


def test_a_host_that_is_no_langfuse_is_refused(langfuse: StandInProcess, state: State) -> None:
    elsewhere = parse_settings(langfuse.settings() | {"host": f"{langfuse.host}/elsewhere"})
    for ask in (account.project, account.server_version):
        with pytest.raises(Refused) as caught:
            ask(elsewhere, state)
        assert caught.value.code == "wrong_host"


def test_nobody_listening_may_pass(langfuse: StandInProcess, state: State) -> None:
    away = parse_settings(langfuse.settings() | {"host": "http://127.0.0.1:9"})
    for ask in (account.project, account.server_version):
        with pytest.raises(TryAgain):
            ask(away, state)


def test_for_links_the_project_is_remembered_for_each_account(langfuse: StandInProcess, state: State) -> None:
    own, other = parse_settings(langfuse.settings()), parse_settings(langfuse.other_project().settings())
    assert account.known_project(own, state) == Project("demo", "Demo project")
    assert account.known_project(other, state) == Project("other", "Another project")
    assert len(state.projects) == 2


def test_a_link_that_cannot_be_had_is_no_error(langfuse: StandInProcess, state: State) -> None:
    away = parse_settings(langfuse.settings() | {"host": "http://127.0.0.1:9"})
    assert account.known_project(away, state) is None


def test_the_servers_version_is_told(settings: Settings, state: State) -> None:
    assert account.server_version(settings, state) == "4.16.0"


def test_servers_before_3_63_are_too_old() -> None:
    assert account.is_too_old("3.62.9")
    assert account.is_too_old("v2.95.0")
    assert not account.is_too_old("3.63.0")
    assert not account.is_too_old("4.0.0-rc.1")
