"""Whatever is sent to whatever operation, the answer is never an unexpected error."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sites import Caller, Core, Declare

SITE = """
types:
  part:
    type: object
    fields:
      name: {type: string, required: true}
      cost: decimal
      at: datetime
      took: duration
      more: {type: list, of: integer}
resources:
  thing:
    mixins: [owned, stamped, versioned]
    access: {every: owner, get: authenticated, list: public}
    fields:
      a_string: {type: string, max: 5}
      an_integer: integer
      a_float: float
      a_decimal: {type: decimal, digits: 6, places: 2}
      a_boolean: boolean
      a_date: date
      a_time: time
      a_datetime: datetime
      a_duration: duration
      a_uuid: uuid
      an_email: email
      a_url: url
      an_enum: {type: enum, values: [red, green]}
      a_json: json
      a_list: {type: list, of: part}
      an_object: part
      doubled: {type: decimal, computed: "a_decimal * an_integer / a_float"}
    relations: {parent: thing, tags: {to: tag, many: true}}
    query:
      filter:
        [a_string, an_integer, a_float, a_decimal, a_boolean, a_date, a_time, a_datetime, a_duration, a_uuid, an_enum, parent,
         doubled]
      sort: [a_string, an_integer, a_float, a_decimal, a_date, a_time, a_datetime, a_duration, doubled]
      search: [a_string, an_email]
      expand: [parent, tags]
    wires:
      main: {}
      odd:
        path: /api/odd
        unknown: ignore
        list: {form: array}
        page: {unpaged: 3}
        values:
          {datetime: epoch_ms, decimal: number, duration: minutes, naive: Europe/Berlin, lenient_dates: true, blank: none}
  tag: {key: int, access: public, fields: {name: string}}
  pair:
    key: [left, right]
    access: public
    fields: {left: {type: integer, required: true}, right: {type: string, required: true}, value: integer}
"""
FIELDS = (
    "a_string", "an_integer", "a_float", "a_decimal", "a_boolean", "a_date", "a_time", "a_datetime", "a_duration", "a_uuid",
    "an_email", "a_url", "an_enum", "a_json", "a_list", "an_object", "parent", "tags", "doubled", "id", "owner", "version",
    "left", "right", "value", "name", "nobody",
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "0", "-1", "1e5", "1e400", "NaN", "Infinity", "true", "null", "9" * 30, "0.1", "red", "a\x00b", "%", "_",
    "\\", "'", '"',
    "2026-01-31", "0001-01-01", "9999-12-31", "2026-02-30", "12:30", "24:00", "2026-01-31T12:00:00Z", "2026-03-29T02:30:00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "PT1H", "P99999999D", "-PT0S", "P9999999DT99999999H", "a@b.c",
    "http://a", "01890a5d-ac96-774b-bcce-b302099a8057", "\u0661", "\U0001f389", "\u202e", "ß" * 6,
)  # fmt: skip
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=8).filter(lambda it: it.isprintable()))
scalars = st.one_of(
    st.none(), st.booleans(), texts, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 1.005, 1e15, 2**53 + 1, -(2**31), 253402300800000, 1e-300]),
)  # fmt: skip
parts = st.dictionaries(st.sampled_from(["name", "cost", "at", "took", "more", "x"]), scalars, max_size=4)
values = st.one_of(scalars, parts, st.lists(st.one_of(scalars, parts), max_size=3))
bodies = st.one_of(st.dictionaries(st.sampled_from(FIELDS), values, max_size=5), values)
OPERATORS = (
    "",
    "[eq]",
    "[ne]",
    "[gt]",
    "[gte]",
    "[lt]",
    "[lte]",
    "[in]",
    "[null]",
    "[contains]",
    "[starts]",
    "[x]",
)
names = st.one_of(
    st.builds(lambda name, operator: name + operator, st.sampled_from(FIELDS), st.sampled_from(OPERATORS)),
    st.sampled_from(["sort", "fields", "expand", "q", "count", "cursor", "page", "page_size"]),
)
operands = st.one_of(
    texts, st.sampled_from([*FIELDS, "-a_date,an_integer", "exact", "1,2", "a_date", "parent,tags"])
)
queries = st.lists(st.tuples(names, operands), max_size=3)
LOOSE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture(scope="module")
def caller(core: Core) -> Caller:
    return core.user()


@pytest.fixture(scope="module")
def row(caller: Caller) -> str:
    return str(caller.make("/api/things", a_string="a", an_object={"name": "n"}, a_json={"a": 1})["id"])


def _encoded(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(text)}" for name, text in query)


@LOOSE
@given(body=bodies, path=st.sampled_from(["/api/things", "/api/odd", "/api/tags", "/api/pairs"]))
def test_no_body_of_create_is_a_defect(caller: Caller, path: str, body: Any) -> None:
    assert caller.send("POST", path, body if body is not None else b"null").status < 500


@LOOSE
@given(
    body=bodies, base=st.sampled_from(["/api/things", "/api/odd"]), method=st.sampled_from(["PATCH", "PUT"])
)
def test_no_body_of_update_is_a_defect(caller: Caller, row: str, base: str, method: str, body: Any) -> None:
    reply = caller.send(method, f"{base}/{row}", body if body is not None else b"null")
    assert reply.status < 500
    if reply.status == 200:
        assert caller.get(f"/api/things/{row}").status == caller.get(f"/api/odd/{row}").status == 200


@LOOSE
@given(query=queries, path=st.sampled_from(["/api/things", "/api/odd", "/api/pairs"]))
def test_no_query_is_a_defect(caller: Caller, path: str, query: list[tuple[str, str]]) -> None:
    assert caller.get(f"{path}?{_encoded(query)}").status in (200, 422)


@LOOSE
@given(key=texts, other=texts, query=queries, method=st.sampled_from(["GET", "DELETE", "PATCH"]))
def test_no_key_is_a_defect(
    caller: Caller, key: str, other: str, query: list[tuple[str, str]], method: str
) -> None:
    first, second = quote(key, safe=""), quote(other, safe="")
    for path in (f"things/{first}", f"tags/{first}", f"pairs/{first}/{second}"):
        body = {} if method == "PATCH" else None
        assert caller.send(method, f"/api/{path}?{_encoded(query)}", body).status < 500


@LOOSE
@given(
    items=st.one_of(values, st.lists(bodies, max_size=3)), method=st.sampled_from(["POST", "PATCH", "DELETE"])
)
def test_no_bulk_body_is_a_defect(caller: Caller, items: Any, method: str) -> None:
    assert caller.send(method, "/api/things/bulk", items if items is not None else b"null").status < 500


def test_every_row_can_still_be_read(caller: Caller) -> None:
    for path in ("/api/things", "/api/odd", "/api/tags", "/api/pairs"):
        assert caller.get(path).status == 200
