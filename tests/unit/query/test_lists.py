"""What lists can be asked for, on both databases alike."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.sites import Caller, Core, Declare

SITE = r"""
resources:
  thing:
    access: public
    mixins: [stamped]
    fields:
      name: string
      number: integer
      price: decimal
      ratio: float
      day: date
      at: datetime
      clock: time
      ride: duration
      uid: uuid
      mail: email
      color: {type: enum, values: [red, green, blue]}
      done: boolean
      any: json
      tags: {type: list, of: string}
      salary: {type: integer, read: "role('admin')"}
      pin: {type: string, secret: true}
    relations: {parent: thing}
    query:
      filter: [name, number, price, ratio, day, at, clock, ride, uid, mail, color, done, parent]
      sort: [name, number, price, ratio, day, at, clock, ride, mail, color]
      search: [name, mail]
      expand: [parent]
      page: {default: 10, max: 50}
"""
ROWS: list[dict[str, Any]] = [
    {"name": "Alpha", "number": 1, "price": "1.50", "ratio": 0.5, "day": "2026-01-01", "at": "2026-01-01T00:00:00Z",
    "clock": "08:00:00",
     "ride": "PT1H", "uid": "01890a5d-ac96-774b-bcce-b302099a8057", "mail": "a@x.org", "color": "red",
     "done": True, "any": {"a": 1}},
    {"name": "beta", "number": 2, "price": "2.50", "ratio": 1.5, "day": "2026-06-01", "at": "2026-06-01T00:00:00.5Z",
     "clock": "09:00:00.5", "ride": "PT2H", "uid": "01890a5d-ac96-774b-bcce-b302099a8058", "mail": "b@x.org", "color": "green",
     "done": False, "tags": ["x"]},
    {"name": "Ärger 50%_a\\b", "number": 3, "price": "10.00", "ratio": -1, "day": "2025-01-01", "at": "2025-01-01T00:00:00Z",
     "clock": "10:00:00", "ride": "-PT1S", "mail": "c@y.org", "color": "blue"},
    {},
]  # fmt: skip


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    core = declare(SITE)
    for index, row in enumerate(ROWS):
        core.anonymous.make("/api/things", **row, salary=index)
    return core


def _found(caller: Caller, query: str) -> list[int]:
    reply = caller.get(f"/api/things?{query}")
    assert reply.status == 200, reply.body
    return sorted(row["number"] or 0 for row in reply.json["items"])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("name=Alpha", [1]), ("name=alpha", []), ("name[ne]=Alpha", [0, 2, 3]), ("name[in]=Alpha,beta", [1, 2]),
        ("name[null]=true", [0]), ("name[null]=false", [1, 2, 3]), ("name[contains]=ETA", [2]), ("name[starts]=al", [1]),
        ("name[contains]=%25", [3]), ("name[contains]=_", [3]), ("name[contains]=%5C", [3]), ("name[starts]=%25", []),
        ("number=2", [2]), ("number[gt]=1", [2, 3]), ("number[lte]=1", [1]), ("number[in]=1,3", [1, 3]),
        ("price=1.5", [1]), ("price[gte]=2.50", [2, 3]), ("price[lt]=10", [1, 2]), ("ratio[lt]=0", [3]), ("ratio=5e-1", [1]),
        ("day=2026-01-01", [1]), ("day[gte]=2026-01-01", [1, 2]), ("at=2026-01-01T01:00:00%2B01:00", [1]),
        ("at[gt]=2026-06-01T00:00:00Z", [2]), ("at[lt]=2026-06-01T00:00:00.500Z", [1, 3]),
        ("clock=08:00", [1]), ("clock[gt]=09:00:00", [2, 3]), ("ride=PT60M", [1]), ("ride[lt]=PT0S", [3]),
        ("uid=01890A5D-AC96-774B-BCCE-B302099A8057", [1]), ("mail[starts]=A@", [1]), ("color[in]=red,blue", [1, 3]),
        ("color[ne]=red", [0, 2, 3]), ("done=true", [1]), ("done=false", [2]), ("done[ne]=true", [0, 2, 3]),
        ("parent[null]=true", [0, 1, 2, 3]),
        ("q=alp", [1]), ("q=x.org", [1, 2]), ("q=B%20x.ORG", [2]), ("q=%25", [3]), ("q=50%25_a", [3]), ("q=_", [3]),
        ("q=", [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_filter_finds_these(core: Core, query: str, numbers: list[int]) -> None:
    assert _found(core.anonymous, query) == numbers


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("nobody=1", "nobody"), ("pin=1", "pin"), ("salary=1", "salary"), ("sort=salary", "sort"), ("sort=pin", "sort"),
        ("sort=nobody", "sort"), ("sort=--name", "sort"), ("sort=", "sort"), ("fields=salary", None),
        ("fields=pin", "fields"), ("fields=", "fields"), ("expand=nobody", "expand"), ("number=x", "number"),
        ("number=9223372036854775808", "number"), (f"number={'9' * 5000}", "number"), ("number=1.0", "number"),
        ("price=1e30", "price"), ("price=1e999", "price"), ("price=NaN", "price"), ("price=1.234", "price"),
        ("ratio=inf", "ratio"), ("ratio=1e999", "ratio"), ("ratio=1_0", "ratio"), ("day=2026-13-01", "day"),
        ("at=2026-01-01", "at"),
        ("at=2026-01-01T00:00:00", "at"), ("clock=25:00", "clock"), ("ride=1", "ride"), ("uid=x", "uid"),
        ("color=pink", "color"), ("done=1", "done"), ("number[contains]=1", "number[contains]"), ("done[gt]=true", "done[gt]"),
        ("name[nonsense]=1", "name[nonsense]"), ("name[null]=1", "name[null]"), ("any=1", "any"), ("name=%00", "name"),
        ("q=%00", "q"), (f"q={'a%20' * 20}", "q"), ("count=1", "count"), ("page=1", "page"), ("page_size=0", "page_size"),
        ("page_size=51", "page_size"), ("page_size=-1", "page_size"), ("page_size=x", "page_size"), ("cursor=x", "cursor"),
        ("cursor=", "cursor"), ("cursor=%FF", "cursor"), ("name=%FF", ""), ("name=a&name=b", "name"),
        ("number[in]=" + "1," * 300, "number[in]"),
        ("parent=x", "parent"), ("name[]=1", "name[]"), ("a[b][c]=1", "a[b][c]"), ("name[in", "name[in"),
    ],
)  # fmt: skip
def test_wrong_query_is_refused(core: Core, query: str, pointer: str | None) -> None:
    reply = core.anonymous.get(f"/api/things?{query}")
    if pointer is None:
        assert (reply.status, reply.json["items"][0]) == (200, {})
        return
    assert reply.status == 422, reply.body
    assert pointer in reply.pointers


def test_hundred_parameters_are_too_many(core: Core) -> None:
    query = "&".join(f"a{index}=1" for index in range(101))
    assert core.anonymous.get(f"/api/things?{query}").status == 422


@pytest.mark.parametrize(
    "name", ["name", "number", "price", "ratio", "day", "at", "clock", "ride", "mail", "color"]
)
def test_nulls_come_first_ascending(core: Core, name: str) -> None:
    ascending = [row[name] for row in core.anonymous.get(f"/api/things?sort={name}").json["items"]]
    descending = [row[name] for row in core.anonymous.get(f"/api/things?sort=-{name}").json["items"]]
    assert ascending[0] is None and ascending == descending[::-1]


def test_chosen_fields_are_all_there_is(core: Core) -> None:
    reply = core.anonymous.get("/api/things?fields=number,name&sort=number")
    assert reply.json["items"][1] == {"name": "Alpha", "number": 1}
    row = core.anonymous.get("/api/things?number=1").json["items"][0]
    assert core.anonymous.get(f"/api/things/{row['id']}?fields=name").json == {"name": "Alpha"}
    assert core.anonymous.get(f"/api/things/{row['id']}?sort=name").status == 422


def test_total_is_exact_when_asked(core: Core) -> None:
    assert core.anonymous.get("/api/things?count=exact&page_size=1").json["total"] == 4
    assert "total" not in core.anonymous.get("/api/things").json
    assert core.anonymous.get("/api/things?count=exact&number=77").json["total"] == 0


def test_remembered_total_follows_writes(core: Core) -> None:
    path = "/api/things?count=exact&name=counted"
    for expected in range(3):
        assert [core.anonymous.get(path).json["total"] for _ in range(2)] == [expected] * 2
        core.anonymous.make("/api/things", name="counted", number=9)
    for row in core.anonymous.get("/api/things?name=counted").json["items"]:
        core.anonymous.delete(f"/api/things/{row['id']}")
    assert core.anonymous.get(path).json["total"] == 0


def test_cursor_of_another_order_is_refused(core: Core) -> None:
    page = core.anonymous.get("/api/things?sort=number&page_size=1").json
    cursor = page["next"]
    assert core.anonymous.get(f"/api/things?sort=number&page_size=1&cursor={cursor}").status == 200
    assert core.anonymous.get(f"/api/things?sort=-number&page_size=1&cursor={cursor}").status == 422
    assert core.anonymous.get(f"/api/things?sort=name&cursor={cursor}").pointers == ["cursor"]


def test_changed_cursor_is_refused(core: Core) -> None:
    cursor = core.anonymous.get("/api/things?sort=number&page_size=1").json["next"]
    for place in range(0, len(cursor), 5):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert core.anonymous.get(f"/api/things?sort=number&cursor={quote(changed)}").status == 422


def test_link_leads_to_the_next_page(core: Core) -> None:
    reply = core.anonymous.get("/api/things?sort=number&page_size=3")
    url = reply.headers["Link"].partition("<")[2].partition(">")[0]
    following = core.anonymous.get(url)
    assert [row["number"] for row in following.json["items"]] == [3]
    assert "Link" not in following.headers
