from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mapper import times


def test_naive_times_are_utc_unless_a_zone_is_named() -> None:
    noon = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - naive on purpose
    assert times.to_ns(noon) == times.to_ns(datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert times.to_ns(noon, ZoneInfo("Asia/Shanghai")) == times.to_ns(datetime(2026, 7, 1, 4, tzinfo=UTC))


def test_a_times_own_zone_wins() -> None:
    aware = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert times.to_ns(aware, ZoneInfo("Asia/Shanghai")) == times.to_ns(aware)


def test_microseconds_survive_exactly() -> None:
    assert times.to_ns(datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)) == 1_767_323_045_678_901_000
    assert times.seconds_to_ns(3.421_337) == 3_421_337_000


def test_the_written_form_is_iso_8601_in_milliseconds() -> None:
    assert times.isoformat(1_767_323_045_678_901_000) == "2026-01-02T03:04:05.678Z"
