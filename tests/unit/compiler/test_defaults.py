"""Declared defaults are values of their types, also inside objects."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.sites import Core, Declare

SITE = """
types:
  line:
    type: object
    fields:
      rate: {type: decimal, default: 1.5}
      took: {type: duration, default: PT90M}
      day: {type: date, default: "2026-01-31"}
      done: {type: boolean, default: false}
      color: {type: enum, values: [red, blue], default: blue}
resources:
  thing:
    access: public
    fields:
      price: {type: decimal, default: 2}
      at: {type: datetime, default: "2026-01-31T12:00:00+01:00"}
      took: {type: duration, default: PT1H}
      day: {type: date, default: "2026-01-31"}
      number: {type: integer, default: 0}
      word: {type: string, default: "7"}
      line: line
      lines: {type: list, of: line}
      fixed: {type: line, default: {rate: 3}}
      extra: {type: json, default: {a: [1]}}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def test_defaults_of_fields_are_native(core: Core) -> None:
    native = core.native("thing", core.anonymous.make("/api/things")["id"])
    assert (native["price"], native["took"], native["day"]) == (
        Decimal("2.00"),
        timedelta(hours=1),
        date(2026, 1, 31),
    )
    assert (native["at"], native["number"], native["word"]) == (datetime(2026, 1, 31, 11, tzinfo=UTC), 0, "7")


def test_defaults_inside_objects_have_their_form(core: Core) -> None:
    shown = {"rate": "1.50", "took": "PT1H30M", "day": "2026-01-31", "done": False, "color": "blue"}
    row = core.anonymous.make("/api/things", line={}, lines=[{}, {"done": True}])
    assert (row["line"], row["lines"]) == (shown, [shown, {**shown, "done": True}])
    assert (row["fixed"], row["extra"]) == ({**shown, "rate": "3.00"}, {"a": [1]})
    assert core.native("thing", row["id"])["line"]["took"] == timedelta(minutes=90)
