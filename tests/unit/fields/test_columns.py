"""Every field type: what goes in by HTTP comes out by the raw reader and by the native one, on both databases."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.sites import Core, Declare

SITE = """
types:
  place: {type: object, fields: {city: {type: string, required: true}, since: date, seen: datetime, fee: decimal, ride: duration}}
resources:
  thing:
    access: public
    fields:
      a_string: string
      a_text: text
      an_integer: integer
      a_float: float
      a_decimal: {type: decimal, digits: 12, places: 3}
      a_boolean: boolean
      a_date: date
      a_time: time
      a_datetime: datetime
      a_duration: duration
      a_uuid: uuid
      an_email: email
      a_url: url
      an_enum: {type: enum, values: [red, "it's", "50%"]}
      a_json: json
      a_list: {type: list, of: decimal}
      an_object: place
      places: {type: list, of: place}
"""
VALUES: dict[str, tuple[Any, Any]] = {  # the outer value, and the native one
    "a_string": ("Grüße 🎉", "Grüße 🎉"),
    "a_text": ("one\ntwo", "one\ntwo"),
    "an_integer": (-(2**63) + 1, -(2**63) + 1),
    "a_float": (0.1, 0.1),
    "a_decimal": ("123456789.125", Decimal("123456789.125")),
    "a_boolean": (False, False),
    "a_date": ("0001-01-01", date(1, 1, 1)),
    "a_duration": ("PT1H0.5S", timedelta(hours=1, milliseconds=500)),
    "a_uuid": ("01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
    "an_email": ("Ada@Example.org", "Ada@Example.org"),
    "a_url": ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
    "an_enum": ("it's", "it's"),
    "a_json": ({"a": [1, 2.5, None, {"b": "c"}]}, {"a": [1, 2.5, None, {"b": "c"}]}),
    "a_list": (["1.50", "2.00"], [Decimal("1.50"), Decimal("2.00")]),
}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.mark.parametrize("name", VALUES)
def test_value_comes_back_unchanged(core: Core, name: str) -> None:
    outer, native = VALUES[name]
    row = core.anonymous.make("/api/things", **{name: outer})
    assert row[name] == outer
    assert core.anonymous.get(f"/api/things/{row['id']}").json[name] == outer
    assert core.native("thing", row["id"])[name] == native


@pytest.mark.parametrize("name", [*VALUES, "a_time", "a_datetime", "an_object", "places"])
def test_null_comes_back_as_null(core: Core, name: str) -> None:
    row = core.anonymous.make("/api/things", **{name: None})
    assert row[name] is None
    assert core.native("thing", row["id"])[name] is None


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-01-31T12:00:00+05:30"]
)
def test_instant_comes_back_in_utc(core: Core, text: str) -> None:
    row = core.anonymous.make("/api/things", a_datetime=text)
    expected = datetime.fromisoformat(text).astimezone(UTC)
    assert datetime.fromisoformat(row["a_datetime"]) == expected
    assert core.native("thing", row["id"])["a_datetime"] == expected


@pytest.mark.parametrize("text", ["09:30:00", "23:59:59.999999"])
def test_time_comes_back_as_given(core: Core, text: str) -> None:
    row = core.anonymous.make("/api/things", a_time=text)
    assert row["a_time"] == text
    assert core.native("thing", row["id"])["a_time"] == time.fromisoformat(text)


def test_nested_values_keep_their_types(core: Core) -> None:
    place = {
        "city": "Ulm",
        "since": "2020-02-29",
        "seen": "2026-01-31T12:00:00Z",
        "fee": "1.50",
        "ride": "PT90M",
    }
    row = core.anonymous.make("/api/things", an_object=place, places=[place, {"city": "Bern"}])
    shown = {**place, "ride": "PT1H30M"}
    assert row["an_object"] == shown
    assert row["places"][0] == shown
    native = core.native("thing", row["id"])
    assert native["an_object"] == {
        "city": "Ulm", "since": date(2020, 2, 29), "seen": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "fee": Decimal("1.50"), "ride": timedelta(minutes=90),
    }  # fmt: skip
    assert native["places"][1]["city"] == "Bern"


def test_unset_nested_member_is_null(core: Core) -> None:
    row = core.anonymous.make("/api/things", an_object={"city": "Ulm"})
    assert row["an_object"] == {"city": "Ulm", "since": None, "seen": None, "fee": None, "ride": None}


@pytest.mark.parametrize("number", [0.1 + 0.2, 123456.789])
def test_float_is_exact(core: Core, number: float) -> None:
    assert core.anonymous.make("/api/things", a_float=number)["a_float"] == number
