"""Walking through lists: every row exactly once, whatever the order, the size of pages and the nulls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.service.runtime import Runtime
from tests.support.sites import Core, Declare

SITE = """
resources:
  line:
    access: public
    fields: {a: integer, b: string, c: decimal, d: datetime, f: boolean, r: {type: float, required: true}, tag: string}
    query: {filter: [tag, f], sort: [a, b, c, d, r], page: {default: 10, max: 20}}
  pair:
    key: [x, z]
    access: public
    fields: {x: {type: integer, required: true}, z: {type: string, required: true}, a: integer}
    query: {sort: [a]}
  paged:
    access: public
    fields: {a: integer}
    query: {sort: [a], default_sort: a, page: {default: 2, max: 5}}
    wire: {list: {pages: number, key: results}}
  bare:
    access: public
    fields: {a: integer}
    query: {filter: [a], sort: [a], default_sort: a}
    wire: {list: array, page: {unpaged: 4}}
"""
NAMES = ("a", "b", "c", "d", "r")
orders = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names))
)


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    core = declare(SITE)
    with core.writing() as ctx:
        for number in range(24):
            ctx.records("line").create(_values(number))
    return core


def _values(number: int, tag: str = "old") -> dict[str, Any]:
    from datetime import UTC, datetime
    from decimal import Decimal

    return {
        "a": [None, 1, 2, 2][number % 4], "b": [None, "x", "Ä", "x", ""][number % 5], "r": (number % 3) / 3,
        "c": [None, Decimal("0.10"), Decimal("0.30")][number % 3], "f": number % 2 == 0, "tag": tag,
        "d": None if number % 7 == 0 else datetime(2026, 1, 1 + number % 4, tzinfo=UTC),
    }  # fmt: skip


def _walk(core: Core, path: str, key: str = "items") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    url = path
    for _ in range(60):
        page = core.anonymous.get(url)
        assert page.status == 200, page.body
        rows += page.json[key]
        if page.json["next"] is None:
            return rows
        url = f"{path}&cursor={page.json['next']}"
    raise AssertionError("the pages do not end")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=orders, size=st.integers(1, 20))
def test_every_row_comes_once(core: Core, order: tuple[str, ...], size: int) -> None:
    sort = f"&sort={','.join(order)}" if order else ""
    whole = [it for part in (_walk(core, f"/api/lines?tag=old&page_size=20{sort}"),) for it in part]
    paged = _walk(core, f"/api/lines?tag=old&page_size={size}{sort}")
    assert paged == whole
    assert len({row["id"] for row in paged}) == 24


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=orders, size=st.integers(3, 9), numbers=st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_new_rows_do_not_disturb_the_walk(
    core: Core, order: tuple[str, ...], size: int, numbers: list[int]
) -> None:
    path = f"/api/lines?page_size={size}" + (f"&sort={','.join(order)}" if order else "")
    page = core.anonymous.get(path).json
    rows = page["items"]
    while page["next"]:
        if numbers:
            with core.writing() as ctx:
                ctx.records("line").create(_values(numbers.pop(), "new"))
        page = core.anonymous.get(f"{path}&cursor={page['next']}").json
        rows += page["items"]
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids))
    assert {row["id"] for row in rows if row["tag"] == "old"} == {
        row["id"] for row in _walk(core, "/api/lines?tag=old")
    }


def test_composite_keys_are_walked(core: Core) -> None:
    for x in range(3):
        for z in ("a", "b"):
            core.anonymous.make("/api/pairs", x=x, z=z, a=[None, 1][x % 2])
    for sort in ("", "&sort=a", "&sort=-a"):
        rows = _walk(core, f"/api/pairs?page_size=1{sort}")
        assert len({(row["x"], row["z"]) for row in rows}) == 6 == len(rows)


def test_numbered_pages_have_a_total(core: Core) -> None:
    for number in range(5):
        core.anonymous.make("/api/pageds", a=number)
    first = core.anonymous.get("/api/pageds")
    assert first.json == {"results": first.json["results"], "page": 1, "page_size": 2, "total": 5}
    assert first.headers["Link"] == '</api/pageds?page=2>; rel="next"'
    last = core.anonymous.get("/api/pageds?page=3&page_size=2")
    assert ([row["a"] for row in last.json["results"]], "Link" in last.headers) == ([4], False)
    beyond = core.anonymous.get("/api/pageds?page=4")
    assert (beyond.json["results"], beyond.json["total"]) == ([], 5)
    assert [core.anonymous.get(f"/api/pageds?page={it}").status for it in ("0", "x", "10001", "-1")] == [
        422
    ] * 4


def test_unpaged_array_answers_the_newest_in_order(core: Core) -> None:
    for number in range(3):
        core.anonymous.make("/api/bares", a=number)
    few = core.anonymous.get("/api/bares")
    assert ([row["a"] for row in few.json], few.headers["X-Total-Count"], "Link" in few.headers) == (
        [0, 1, 2],
        "3",
        False,
    )
    for number in range(3, 10):
        core.anonymous.make("/api/bares", a=number)
    reply = core.anonymous.get("/api/bares")
    seen = [[row["a"] for row in reply.json]]
    while "Link" in reply.headers:
        assert reply.headers["X-Total-Count"] == "10"
        reply = core.anonymous.get(reply.headers["Link"].partition("<")[2].partition(">")[0])
        seen.append([row["a"] for row in reply.json])
    assert seen == [[6, 7, 8, 9], [2, 3, 4, 5], [0, 1]]


def test_list_takes_one_query_and_one_more_for_each_relation(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = declare(
        """
        resources:
          shop: {access: public, fields: {name: string}, relations: {goods: {to: good, many: true, by: shop}},
          query: {expand: [goods]}}
          good: {access: public, relations: {shop: shop}, query: {expand: [shop]}}
        """
    )
    shop = core.anonymous.make("/api/shops", name="s")
    for _ in range(5):
        core.anonymous.make("/api/goods", shop=shop["id"])
    ran = _count_statements(core, monkeypatch)
    for path, expected in (("/api/goods", 1), ("/api/goods?expand=shop", 2), ("/api/shops?expand=goods", 2)):
        ran.clear()
        assert core.anonymous.get(path).status == 200
        assert len(ran) == expected


def _count_statements(core: Core, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from host.compiler import statements

    ran: list[str] = []
    original = statements.Statement.run

    def run(self: Any, connection: Any, values: Any) -> Any:
        ran.append(self.sql)
        return original(self, connection, values)

    monkeypatch.setattr(statements.Statement, "run", run)
    return ran


def test_values_share_one_compiled_plan(core: Core) -> None:
    plans = core.site.runtime.plans
    assert core.anonymous.get("/api/lines?tag=first").status == 200
    kept = len(plans._kept)
    for number in range(20):
        assert core.anonymous.get(f"/api/lines?tag=other{number}").status == 200
    assert len(plans._kept) == kept


def test_kept_plans_are_bounded(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.service.plans.MOST_KEPT", 30)
    runtime: Runtime = core.site.runtime
    runtime.plans._kept.clear()
    for number in range(40):
        count = ("exact", "none")[number % 2]
        path = f"/api/lines?tag=t{number}&count={count}&page_size={number // 2 + 1}"
        assert core.anonymous.get(path).status == 200
    assert len(runtime.plans._kept) <= 30
    assert len(runtime.plans._seen) <= 30
