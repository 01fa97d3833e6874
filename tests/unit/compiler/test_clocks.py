"""age(): seconds since an instant, in computed fields and in rules; rows that know only when they were made."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  visit:
    mixins: [{stamped: {created: came_at, updated: null}}]
    fields:
      seen_at: {type: datetime}
      online: {type: boolean, computed: "age(seen_at) < 30"}
    access: {every: public, get: "age(seen_at) < 3600 or seen_at is None"}
    query: {filter: [online]}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("seconds", "online"), [(0, True), (25, True), (31, False), (3500, False), (-50, True)]
)
def test_age_is_counted_in_seconds(core: Core, seconds: float, online: bool) -> None:
    assert core.anonymous.make("/api/visits", seen_at=ago(seconds))["online"] is online


def test_age_of_nothing_is_absent(core: Core) -> None:
    assert core.anonymous.make("/api/visits")["online"] is None


def test_age_decides_a_rule(core: Core) -> None:
    fresh, old = (core.anonymous.make("/api/visits", seen_at=ago(age))["id"] for age in (3000, 4000))
    assert core.anonymous.get(f"/api/visits/{fresh}").status == 200
    assert core.anonymous.get(f"/api/visits/{old}").status == 404


def test_list_is_filtered_by_age(core: Core) -> None:
    row = core.anonymous.make("/api/visits", seen_at=ago(2))
    rows = core.anonymous.get("/api/visits?online=true").json["items"]
    assert row["id"] in [row["id"] for row in rows]
    assert all(row["online"] for row in rows)


def test_rows_without_updated_are_stored(core: Core) -> None:
    row = core.anonymous.make("/api/visits")
    changed = core.anonymous.patch(f"/api/visits/{row['id']}", {"seen_at": ago(1)}).json
    assert set(row) == {"id", "came_at", "seen_at", "online"}
    assert changed["came_at"] == row["came_at"]
