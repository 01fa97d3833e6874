"""Planned times, above all where clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from host.jobs.cron import Cron

BERLIN = ZoneInfo("Europe/Berlin")


def local(cron: str, after: datetime, count: int, zone: str = "Europe/Berlin") -> list[str]:
    """The next planned times as the clock on the wall shows them."""
    found = islice(Cron(cron, zone).times(after), count)
    return [it.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for it in found]


def test_every_day_at_two() -> None:
    after = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)
    assert Cron("0 2 * * *").next(after) == datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


def test_zone_is_the_clock_on_the_wall() -> None:
    after = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert Cron("0 2 * * *", "Europe/Berlin").next(after) == datetime(2026, 7, 2, 0, 0, tzinfo=UTC)


def test_missing_hour_comes_when_clocks_jump() -> None:
    after = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)
    assert local("30 2 * * *", after, 2) == ["03-29 03:00 +0200", "03-30 02:30 +0200"]


def test_doubled_hour_counts_once() -> None:
    after = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)
    assert local("30 2 * * *", after, 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]


def test_asked_within_the_second_hour() -> None:
    after = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)
    assert local("30 2 * * *", after, 1) == ["10-26 02:30 +0100"]


def test_every_half_hour_follows_real_time() -> None:
    doubled = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    assert local("*/30 * * * *", doubled, 5) == [
        "10-25 02:00 +0200", "10-25 02:30 +0200", "10-25 02:00 +0100", "10-25 02:30 +0100", "10-25 03:00 +0100",
    ]  # fmt: skip
    missing = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)
    assert local("*/30 * * * *", missing, 2) == ["03-29 03:00 +0200", "03-29 03:30 +0200"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "15,45 1,2,3 * * *", "45 */3 * * *", "0 0 * * 0", "0 12 1 * MON"]
)
def test_times_never_go_back_over_a_year(zone: str, cron: str) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    found = Cron(cron, zone).newest(begin, end, 10**6)
    assert found == sorted(set(found))
    for at in found[:: max(len(found) // 40, 1)]:  # wherever one asks, the same times come
        assert Cron(cron, zone).next(at - timedelta(seconds=1)) == at


def test_newest_of_many_are_told() -> None:
    first, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
    found = Cron("* * * * *").newest(first, until, 100)
    assert (len(found), found[-1], found[0]) == (
        100, datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 22, 21, tzinfo=UTC),
    )  # fmt: skip


def test_first_and_last_belong_to_it() -> None:
    first, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    found = Cron("0 0 1 1 *").newest(first, until, 100)
    assert [it.year for it in found] == [2020, 2021, 2022, 2023, 2024, 2025]
