"""PATCH merges objects and documents into what is stored (RFC 7396)."""

from typing import Any

import pytest

from host.web.updates import merge
from tests.support.sites import Core, Declare

SITE = """
types:
  geo: {type: object, fields: {lat: {type: decimal, required: true, places: 4}, lon: decimal}}
  address:
    type: object
    fields:
      street: {type: string, required: true}
      city: string
      country: {type: string, default: DE}
      since: datetime
      ride: duration
      geo: geo
      tags: {type: list, of: string}
resources:
  person:
    access: public
    mixins: [versioned]
    fields:
      address: address
      settings: json
      home: {type: address, write: "role('admin')"}
    wires:
      main: {names: {address: {name: where, accept: [place]}}}
      legacy: {path: /api/legacy, values: {datetime: epoch, duration: minutes}, update: {methods: [PUT, PATCH], partial: true}}
"""
ADDRESS = {
    "street": "A 1",
    "city": "Ulm",
    "since": "2026-01-01T00:00:00Z",
    "ride": "PT61S",
    "geo": {"lat": "1.5", "lon": "2"},
}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


# the examples of RFC 7396, appendix A
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_follows_the_standard(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def _made(core: Core, **body: Any) -> tuple[str, dict[str, Any]]:
    row = core.anonymous.make("/api/persons", where=ADDRESS, **body)
    return f"/api/persons/{row['id']}", row["where"]


def test_named_member_changes_alone(core: Core) -> None:
    path, before = _made(core)
    after = core.anonymous.patch(path, {"where": {"city": "Bern", "geo": {"lon": "3"}}})
    assert after.status == 200, after.body
    assert after.json["where"] == {**before, "city": "Bern", "geo": {"lat": "1.5000", "lon": "3.00"}}


def test_null_removes_a_member(core: Core) -> None:
    path, before = _made(core)
    after = core.anonymous.patch(path, {"place": {"city": None, "geo": None}}).json["where"]
    assert after == {**before, "city": None, "geo": None}
    refused = core.anonymous.patch(path, {"where": {"street": None}})
    assert (refused.status, refused.pointers) == (422, ["/where/street"])


def test_null_removes_the_whole_object(core: Core) -> None:
    path, _ = _made(core)
    assert core.anonymous.patch(path, {"where": None}).json["where"] is None
    assert core.anonymous.patch(path, {"where": {"city": "x"}}).pointers == ["/where/street"]
    made = core.anonymous.patch(path, {"where": {"street": "new", "city": None}}).json["where"]
    assert (made["street"], made["city"], made["country"]) == ("new", None, "DE")


def test_wrong_member_is_refused_there(core: Core) -> None:
    path, _ = _made(core)
    reply = core.anonymous.patch(path, {"where": {"nobody": 1, "geo": {"lat": "x"}, "tags": [1]}})
    assert sorted(reply.pointers) == ["/where/geo/lat", "/where/nobody", "/where/tags/0"]
    assert core.anonymous.get(path).json["version"] == 1


def test_document_is_merged(core: Core) -> None:
    path, _ = _made(core, settings={"theme": {"dark": True, "size": 2}, "odd": None, "list": [1]})
    after = core.anonymous.patch(path, {"settings": {"theme": {"size": None}, "list": [2], "x": 1}}).json[
        "settings"
    ]
    assert after == {"theme": {"dark": True}, "odd": None, "list": [2], "x": 1}
    assert core.anonymous.patch(path, {"settings": [1]}).json["settings"] == [1]


def test_untouched_members_are_not_rounded(core: Core) -> None:
    path, before = _made(core)
    legacy = path.replace("/api/persons", "/api/legacy")
    reply = core.anonymous.patch(legacy, {"address": {"city": "Rom"}})
    assert (reply.status, reply.json["address"]["ride"]) == (200, 1.02)
    assert core.anonymous.get(path).json["where"] == {**before, "city": "Rom"}


def test_partial_put_replaces_the_object(core: Core) -> None:
    path, _ = _made(core)
    reply = core.anonymous.put(path.replace("/api/persons", "/api/legacy"), {"address": {"street": "B 2"}})
    assert (reply.json["address"]["street"], reply.json["address"]["city"]) == ("B 2", None)


def test_merging_is_under_the_field_rule(core: Core) -> None:
    path, _ = _made(core)
    reply = core.user().patch(path, {"home": {"street": "x"}})
    assert (reply.status, reply.pointers) == (403, ["/home"])


def test_bulk_merges_too(core: Core) -> None:
    path, before = _made(core)
    item = {"id": path.rpartition("/")[2], "where": {"city": "Wien"}}
    reply = core.anonymous.patch("/api/persons/bulk", [item])
    assert reply.status == 200, reply.body
    assert core.anonymous.get(path).json["where"] == {**before, "city": "Wien"}
