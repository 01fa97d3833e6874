"""What every field type takes and refuses, and the forms that a wire gives its values."""

from typing import Any

import pytest

from tests.support.sites import Core, Declare

SITE = r"""
types:
  place: {type: object, fields: {fee: decimal, at: datetime, ride: duration}}
  small: {type: string, max: 5}
resources:
  thing:
    access: public
    fields:
      name: {type: string, min: 2, max: 10, trim: true}
      code: {type: string, pattern: "[a-z]+-\\d+"}
      alias: small
      note: text
      number: {type: integer, min: -5, max: 5}
      big: integer
      ratio: {type: float, min: 0, max: 1}
      price: {type: decimal, min: 0, max: "99.95", digits: 6, places: 2}
      share: {type: decimal, digits: 4, places: 4}
      day: {type: date, min: "2020-01-01", max: "2030-12-31"}
      clock: time
      at: datetime
      ride: duration
      uid: uuid
      mail: email
      link: url
      color: {type: enum, values: [red, green]}
      truth: boolean
      tags: {type: list, of: {type: string, max: 3}, min: 1, max: 2}
      place: place
      any: json
  wired:
    access: public
    fields: {at: datetime, price: decimal, ride: duration, place: place, places: {type: list, of: place}, day: date}
    query: {filter: [at, price, ride, day]}
    wire: {values: {datetime: epoch, decimal: number, duration: seconds, lenient_dates: true}}
  coarse:
    access: public
    fields: {at: datetime, ride: duration, rest: duration}
    query: {filter: [ride, rest]}
    wire: {values: {datetime: epoch_ms, duration: minutes, naive: Europe/Berlin}, units: {rest: seconds}}
"""
WRONG: list[tuple[str, Any]] = [
    ("name", "a"), ("name", "   a   "), ("name", "a" * 11), ("name", 5), ("name", "a\x00b"), ("name", ["ab"]),
    ("code", "abc"), ("code", "abc-1\n"), ("alias", "abcdef"), ("note", "n" * 100_001),
    ("number", 6), ("number", -6), ("number", "5"), ("number", True), ("number", 1.5), ("number", 10**18),
    ("big", 2**63), ("big", 2**64 - 1), ("big", 1e300), ("ratio", 1.5), ("ratio", "0.5"), ("ratio", True),
    ("price", "99.96"), ("price", "-0.01"), ("price", "1.234"), ("price", "12345.00"), ("price", "1e999"), ("price", 1e30),
    ("price", "NaN"), ("price", "Infinity"), ("price", "\u0661"), ("price", " 1"), ("price", "1_0"), ("price", True),
    ("price", ""),
    ("share", "1.5"), ("day", "2019-12-31"), ("day", "2026-02-30"), ("day", "2026-1-1"), ("day", "20260101"), ("day", 5),
    ("clock", "25:00"), ("clock", "9:30"), ("clock", "09:30+02:00"), ("at", "2026-01-31T12:00:00"), ("at", "2026-01-31"),
    ("at", "0001-01-01T00:00:00+10:00"), ("at", 5), ("ride", "1h"), ("ride", "PT"), ("ride", "P1Y"), ("ride", 60),
    ("uid", "01890a5dac96774bbcceb302099a8057"), ("uid", "x"), ("mail", "a@b@c"), ("mail", "a b@c.de"), ("mail", "nobody"),
    ("link", "javascript:alert(1)"), ("link", "//example.org"), ("link", "http://[::1"), ("link", "https://a b"),
    ("color", "blue"), ("color", 1), ("truth", 1), ("truth", "true"),
    ("tags", []), ("tags", ["a", "b", "c"]), ("tags", ["abcd"]), ("tags", [None]), ("tags", "ab"), ("tags", {"0": "a"}),
    ("place", {"unknown": 1}), ("place", []), ("place", {"fee": "x"}), ("any", {"a": "\x00"}), ("any", {"\x00": 1}),
]  # fmt: skip


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_value_is_refused_there(core: Core, name: str, value: Any) -> None:
    reply = core.anonymous.post("/api/things", {name: value})
    assert reply.status == 422, reply.body
    assert reply.pointers[0].split("/")[1] == name


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", "  ab ", "ab"),
        ("number", 5.0, 5),
        ("price", 1, "1.00"),
        ("price", 0.1, "0.10"),
        ("price", "1.5", "1.50"),
        ("share", "0.0001", "0.0001"),
        ("uid", "01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("ride", "P1DT30M", "PT24H30M"),
        ("ride", "-PT1S", "-PT1S"),
    ],
)
def test_value_is_answered_in_standard_form(core: Core, name: str, value: Any, expected: Any) -> None:
    assert core.anonymous.make("/api/things", **{name: value})[name] == expected


def test_deep_document_is_refused(core: Core) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    assert core.anonymous.post("/api/things", {"any": deep}).pointers == ["/any"]


def test_every_problem_is_reported_at_once(core: Core) -> None:
    reply = core.anonymous.post("/api/things", {"number": "x", "price": "x", "nobody": 1, "tags": ["abcd"]})
    assert sorted(reply.pointers) == ["/nobody", "/number", "/price", "/tags/0"]


def test_number_forms_go_in_and_out(core: Core) -> None:
    inner = {"fee": 1.5, "at": 60, "ride": 90}
    row = core.anonymous.make(
        "/api/wireds", at=1_700_000_000, price=0.1, ride=90, place=inner, places=[inner]
    )
    assert (row["at"], row["price"], row["ride"]) == (1_700_000_000, 0.1, 90)
    assert row["place"] == inner and row["places"] == [inner]
    assert core.anonymous.get(f"/api/wireds/{row['id']}").json == row


def test_milliseconds_and_minutes_go_out(core: Core) -> None:
    row = core.anonymous.make("/api/coarses", at=1_700_000_000_123, ride=1.5, rest=90)
    assert (row["at"], row["ride"], row["rest"]) == (1_700_000_000_123, 1.5, 90)


def test_naive_time_is_in_the_named_zone(core: Core) -> None:
    row = core.anonymous.make("/api/coarses", at="2026-07-01T12:00:00")
    assert row["at"] == core.anonymous.make("/api/coarses", at="2026-07-01T10:00:00Z")["at"]


@pytest.mark.parametrize(
    "query",
    [
        "ride[gte]=5400&ride[lte]=5400",
        "at=1700000005",
        "price=77.5",
        "at[gte]=2023-11-14T22:13:25Z&price=77.5",
    ],
)
def test_filter_takes_the_wire_form(core: Core, query: str) -> None:
    row = core.anonymous.make("/api/wireds", at=1_700_000_005, price=77.5, ride=5400)
    assert row["id"] in [item["id"] for item in core.anonymous.get(f"/api/wireds?{query}").json["items"]]


def test_filter_takes_the_unit_of_the_field(core: Core) -> None:
    row = core.anonymous.make("/api/coarses", ride=2, rest=45)
    assert core.anonymous.get("/api/coarses?ride=2&rest=45").json["items"][0]["id"] == row["id"]


def test_date_is_taken_from_an_instant(core: Core) -> None:
    assert core.anonymous.make("/api/wireds", day="2026-01-31T00:00:00.000Z")["day"] == "2026-01-31"
    assert core.anonymous.post("/api/wireds", {"day": "2026-01-31Tnonsense"}).pointers == ["/day"]


def test_long_pattern_is_told_by_its_example(declare: Declare) -> None:
    words = "|".join(f"word{number}" for number in range(30))
    word = f'{{type: string, pattern: "{words}", example: word7}}'
    core = declare(f"resources: {{note: {{access: public, fields: {{word: {word}}}}}}}")
    reply = core.anonymous.post("/api/notes", {"word": "x"})
    assert reply.json["errors"][0]["detail"] == "is none of the texts that are taken, such as word7"
