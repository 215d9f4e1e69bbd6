from tests.conftest import Plugin
from tests.runtime.fuzz import fuzz


def test_a_short_fuzz_finds_no_escape_from_the_error_contract(plugin: Plugin) -> None:
    seen = fuzz(plugin, examples=600, seconds=30.0)
    assert sum(seen.values()) > 200
    assert {200, 400, 422} <= set(seen)
