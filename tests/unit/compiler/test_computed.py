"""Computed fields and roll-ups: the same values on both databases, whatever the operands are."""

import pytest

from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  order:
    access: public
    fields:
      first: string
      last: string
      price: decimal
      quantity: integer
      ratio: float
      total: {type: decimal, computed: "price * quantity"}
      share: {type: decimal, places: 4, computed: "price / quantity"}
      third: {type: decimal, computed: "price / 3"}
      half: {type: integer, computed: "quantity / 2"}
      rest: {type: integer, computed: "quantity % 3"}
      mixed: {type: decimal, computed: "price * ratio"}
      rounded: {type: float, computed: "round(ratio, 1)"}
      size: {type: integer, computed: "abs(quantity)"}
      name: {type: string, computed: "first + ' ' + last"}
      safe: {type: string, computed: "coalesce(first, 'nobody')"}
      letters: {type: integer, computed: "length(first)"}
      spelled: {type: string, computed: "text(quantity)"}
      loud: {type: string, computed: "upper(first)"}
      is_big: {type: boolean, computed: "price > 100"}
      lines_sum: {type: decimal, rollup: {function: sum, over: lines.amount}}
      lines_open: {type: integer, rollup: {function: count, over: lines, where: "not done"}}
      lines_time: {type: duration, rollup: {function: sum, over: lines.took}}
      lines_units: {type: integer, rollup: {function: sum, over: lines.units}}
      lines_owed: {type: integer, rollup: {function: sum, over: lines.units, less: done, empty: 0}}
      lines_first: {type: datetime, rollup: {function: min, over: lines.at}}
      lines_last: {type: date, rollup: {function: max, over: lines.day, where: "amount > 1.5"}}
    relations: {lines: {to: line, many: true, by: order}}
    query: {filter: [total, size, name, is_big], sort: [total, name]}
  line:
    access: public
    mixins: [soft_delete]
    fields: {amount: decimal, units: integer, took: duration, at: datetime, day: date, done: {type: boolean, default: false}}
    relations: {order: {to: order, required: true, on_delete: cascade}}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture(scope="module")
def caller(core: Core) -> Caller:
    return core.anonymous


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        ({"price": "1.10", "quantity": 3}, "total", "3.30"),
        ({"quantity": -3}, "spelled", "-3"),
        ({}, "spelled", None),
        ({"price": "10", "quantity": 3}, "share", "3.3333"),
        ({"price": "10"}, "third", "3.33"),
        ({"quantity": 7}, "half", 3),
        ({"quantity": -7}, "rest", -1),
        ({"price": "1.10", "ratio": 0.5}, "mixed", "0.55"),
        ({"ratio": 0.25001}, "rounded", 0.3),
        ({"quantity": -4}, "size", 4),
        ({"first": "Ada", "last": "L."}, "name", "Ada L."),
        ({"last": "L."}, "safe", "nobody"),
        ({"first": "Ada"}, "letters", 3),
        ({"first": "Ada"}, "loud", "ADA"),
        ({"price": "100.01"}, "is_big", True),
        ({"price": "100"}, "is_big", False),
    ],
)
def test_computed_value(caller: Caller, given: dict[str, object], name: str, expected: object) -> None:
    row = caller.make("/api/orders", **given)
    assert row[name] == expected
    assert caller.get(f"/api/orders/{row['id']}").json[name] == expected


def test_absent_operand_gives_null(caller: Caller) -> None:
    row = caller.make("/api/orders")
    computed = (
        "total",
        "share",
        "half",
        "rest",
        "mixed",
        "rounded",
        "size",
        "name",
        "letters",
        "loud",
        "is_big",
    )
    assert [row[name] for name in computed] == [None] * len(computed)


def test_division_by_zero_gives_null(caller: Caller) -> None:
    row = caller.make("/api/orders", price="1", quantity=0)
    assert (row["share"], row["rest"]) == (None, 0) or row["share"] is None
    assert caller.get("/api/orders").status == 200


def test_rollups_follow_their_rows(core: Core, caller: Caller) -> None:
    order = caller.make("/api/orders")
    assert (order["lines_sum"], order["lines_open"], order["lines_time"]) == (None, 0, None)
    line = {"order": order["id"], "units": 2, "took": "PT1H", "at": "2026-01-02T00:00:00Z"}
    caller.make("/api/lines", **line, amount="0.10", day="2026-01-01")
    caller.make("/api/lines", **line, amount="0.20", done=True)
    gone = caller.make("/api/lines", **line, amount="100", day="2027-01-01")
    assert caller.delete(f"/api/lines/{gone['id']}").status == 204
    found = caller.get(f"/api/orders/{order['id']}").json
    assert (found["lines_sum"], found["lines_open"], found["lines_time"]) == ("0.30", 1, "PT2H")
    assert (found["lines_units"], found["lines_last"]) == (4, None)
    assert found["lines_first"].startswith("2026-01-02T00:00:00")
    native = core.native("order", order["id"])
    assert (str(native["lines_sum"]), native["lines_units"], native["lines_time"].total_seconds()) == (
        "0.30",
        4,
        7200,
    )


def test_computed_values_are_filtered_and_sorted(caller: Caller) -> None:
    cheap = caller.make("/api/orders", price="0.10", quantity=3, first="zz", last="a")
    dear = caller.make("/api/orders", price="999", quantity=9, first="zz", last="b")
    assert [row["id"] for row in caller.get("/api/orders?total=0.30&name=zz a").json["items"]] == [
        cheap["id"]
    ]
    found = caller.get("/api/orders?name[starts]=ZZ&sort=-total&is_big[null]=false").json["items"]
    assert [row["id"] for row in found] == [dear["id"], cheap["id"]]


def test_pages_over_computed_values_are_complete(caller: Caller) -> None:
    for number in range(4):
        caller.make("/api/orders", first="page", last=str(number), price="1.5", quantity=number % 2)
    seen, path = [], "/api/orders?name[starts]=page&sort=total,-name&page_size=1"
    url = path
    for _ in range(10):
        page = caller.get(url).json
        seen += [row["last"] for row in page["items"]]
        if page["next"] is None:
            break
        url = f"{path}&cursor={page['next']}"
    assert seen == ["2", "0", "3", "1"]


def test_transient_and_secret_never_come_back(declare: Declare) -> None:
    core = declare(
        """
        resources:
          item:
            access: public
            fields: {name: string, reason: {type: string, transient: true}, pin: {type: string, secret: true}}
        """
    )
    row = core.anonymous.make("/api/items", name="a", reason="why", pin="1234")
    assert set(row) == {"id", "name"}
    assert set(core.anonymous.get(f"/api/items/{row['id']}").json) == {"id", "name"}
    assert core.anonymous.patch(f"/api/items/{row['id']}", {"pin": "5"}).json == row
    assert core.anonymous.get("/api/items?fields=pin").status == 422
    assert core.native("item", row["id"])["pin"] == "5"


def test_huge_numbers_break_no_list(declare: Declare) -> None:
    core = declare(
        """
        resources:
          sum:
            access: public
            fields:
              size: integer
              ratio: float
              square: {type: integer, computed: "size * size"}
              more: {type: integer, computed: "size + 1"}
              power: {type: decimal, computed: "ratio * ratio"}
              total: {type: integer, rollup: {function: sum, over: parts.size}}
              wait: {type: duration, rollup: {function: sum, over: parts.wait}}
            relations: {parts: {to: part, many: true, by: whole}}
          part:
            access: public
            fields: {size: integer, wait: duration}
            relations: {whole: {to: sum, required: true}}
        """
    )
    caller, most = core.anonymous, 2**63 - 1
    row = caller.make("/api/sums", size=most, ratio=1e200)
    assert (row["square"], row["more"], row["total"]) == (most, most, None)
    for _ in range(3):
        caller.make("/api/parts", whole=row["id"], size=most, wait="P99999D")
    assert caller.get("/api/sums").json["items"][0]["total"] == most
    assert caller.get(f"/api/sums/{row['id']}").status == 200


def test_sums_take_away_what_counts_against(core: Core, caller: Caller) -> None:
    order = caller.make("/api/orders")
    assert order["lines_owed"] == 0
    for units, done in ((5, False), (7, True), (1, False)):
        caller.make("/api/lines", order=order["id"], units=units, done=done)
    assert caller.get(f"/api/orders/{order['id']}").json["lines_owed"] == -1
