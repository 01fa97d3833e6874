"""Bulk writes over HTTP: one transaction, all or nothing, errors by index."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sites import Caller, Core, Declare

SHOP = """
resources:
  customer:
    mixins: [owned, versioned]
    fields: {name: {type: string, required: true}, secret: {type: string, write: "role('admin')"}}
    access: {every: owner, delete: "owner and name != 'kept'"}
  order:
    mixins: [owned]
    key: hex24
    fields: {number: {type: integer, counter: {per: owner}}, total: {type: decimal, max: 1000}}
    relations: {customer: {to: customer, required: true, same_owner: true}}
    access: owner
    wires:
      main: {}
      legacy:
        {path: /legacy/orders, list: array, names: {customer: client_id, total: sum}, operations: [list, create, update, bulk]}
      other: {path: /other/orders, list: array}
  place:
    key: [country, code]
    fields: {country: {type: string, required: true}, code: {type: integer, required: true}, name: string}
    access: authenticated
  paper:
    mixins: [{versioned: {required: true}}]
    fields: {title: string}
    access: authenticated
  note:
    fields: {text: string}
    access: authenticated
    operations: [list, get, create, bulk]
"""
BULK = "/api/customers/bulk"


@pytest.fixture(scope="module")
def shop(declare: Declare) -> Core:
    return declare(SHOP)


@pytest.fixture
def ann(shop: Core) -> Caller:
    """An account of its own for each test."""
    return shop.user()


def names(caller: Caller) -> list[tuple[str, int]]:
    """What the caller's customers are called, and their versions."""
    rows = caller.get("/api/customers").json["items"]
    return sorted((row["name"], row["version"]) for row in rows)


def made(caller: Caller, *called: str) -> list[str]:
    """The keys of new customers."""
    reply = caller.send("POST", BULK, [{"name": name} for name in called])
    assert reply.status == 201, reply.body
    return [row["id"] for row in reply.json["items"]]


def errors(reply: Any) -> list[tuple[str, str]]:
    """Pointers and codes of a problem."""
    return [(error["pointer"], error["code"]) for error in reply.json["errors"]]


def test_rows_are_answered_in_order(ann: Caller) -> None:
    reply = ann.send("POST", BULK, [{"name": "b"}, {"name": "a"}])
    assert (reply.status, [row["name"] for row in reply.json["items"]]) == (201, ["b", "a"])
    assert names(ann) == [("a", 1), ("b", 1)]


def test_errors_of_all_items_at_once(ann: Caller) -> None:
    reply = ann.send("POST", BULK, [{"name": "a"}, {"nam": "b"}, 5, {"name": 7}])
    assert reply.status == 422
    assert sorted(errors(reply)) == [
        ("/1/nam", "unknown"), ("/1/name", "required"), ("/2", "type"), ("/3/name", "invalid"),
    ]  # fmt: skip
    assert names(ann) == []


def test_later_refusal_undoes_earlier_items(ann: Caller, shop: Core) -> None:
    key = made(ann, "a")[0]
    reply = ann.send("POST", "/api/orders/bulk", [{"customer": key}, {"customer": "0" * 8 + key[8:]}])
    assert (reply.status, errors(reply)) == (422, [("/1/customer", "reference")])
    assert ann.get("/api/orders").json["items"] == []
    reply = ann.send("POST", "/api/orders/bulk", [{"customer": key}, {"customer": key}])
    assert [row["number"] for row in reply.json["items"]] == [1, 2]


def test_references_of_others_are_refused(ann: Caller, shop: Core) -> None:
    reply = shop.user().send("POST", "/api/orders/bulk", [{"customer": made(ann, "a")[0]}])
    assert (reply.status, errors(reply)) == (422, [("/0/customer", "reference")])


def test_field_rules_hold_by_item(ann: Caller) -> None:
    reply = ann.send("POST", BULK, [{"name": "a"}, {"name": "b", "secret": "x"}])
    assert (reply.status, errors(reply)) == (403, [("/1/secret", "forbidden")])
    assert names(ann) == []


def test_updates_change_only_what_they_say(ann: Caller) -> None:
    first, second = made(ann, "a", "b")
    reply = ann.send("PATCH", BULK, [{"id": second, "name": "B"}, {"id": first}])
    assert (reply.status, [row["name"] for row in reply.json["items"]]) == (200, ["B", "a"])


def test_stale_version_undoes_everything(ann: Caller) -> None:
    first, second = made(ann, "a", "b")
    reply = ann.send(
        "PATCH", BULK, [{"id": first, "name": "A", "version": 1}, {"id": second, "name": "B", "version": 7}]
    )
    assert (reply.status, errors(reply)) == (412, [("/1", "precondition_failed")])
    assert names(ann) == [("a", 1), ("b", 1)]


def test_rows_of_others_are_not_found(ann: Caller, shop: Core) -> None:
    key = made(ann, "a")[0]
    bob = shop.user()
    for method, item in (("PATCH", {"id": key, "name": "x"}), ("DELETE", key)):
        reply = bob.send(method, BULK, [item])
        assert (reply.status, errors(reply)) == (404, [("/0", "not_found")])
    assert names(ann) == [("a", 1)]


def test_deletes_take_keys_and_versions(ann: Caller) -> None:
    first, second, third = made(ann, "a", "b", "c")
    reply = ann.send("DELETE", BULK, [first, {"id": second, "version": 1}])
    assert (reply.status, reply.json) == (200, {"deleted": 2})
    assert ann.send("DELETE", BULK, [{"id": third, "version": 9}]).status == 412


def test_delete_rule_holds_by_item(ann: Caller) -> None:
    reply = ann.send("DELETE", BULK, made(ann, "a", "kept"))
    assert (reply.status, errors(reply)) == (403, [("/1", "forbidden")])
    assert len(names(ann)) == 2


def test_malformed_keys_have_pointers(ann: Caller) -> None:
    reply = ann.send("DELETE", BULK, ["x", {"id": True}, {"name": "a"}, [1, 2], None])
    assert [pointer for pointer, _ in errors(reply)] == ["/0/id", "/1/id", "/2/id", "/2/name", "/3", "/4/id"]
    assert errors(ann.send("PATCH", BULK, [{"name": "a"}, {"id": "x", "nam": 1}]))[0] == ("/0/id", "required")


def test_natural_keys_are_taken(ann: Caller) -> None:
    path = "/api/places/bulk"
    country = "c" + ann.actor.id[-8:]  # type: ignore[union-attr,index]
    ann.send("POST", path, [{"country": country, "code": code} for code in (1, 2, 3)])
    reply = ann.send("PATCH", path, [{"country": country, "code": 2, "name": "two"}])
    assert reply.json["items"][0]["name"] == "two"
    reply = ann.send("DELETE", path, [[country, 1], {"country": country, "code": 3}])
    assert reply.json == {"deleted": 2}


def test_required_version_is_required(ann: Caller) -> None:
    path = "/api/papers/bulk"
    key = ann.send("POST", path, [{"title": "a"}]).json["items"][0]["id"]
    reply = ann.send("PATCH", path, [{"id": key, "title": "b"}])
    assert (reply.status, errors(reply)) == (428, [("/0", "precondition_required")])
    assert ann.send("DELETE", path, [key]).status == 428
    assert ann.send("PATCH", path, [{"id": key, "title": "b", "version": 1}]).status == 200


@pytest.mark.parametrize(
    ("body", "status"), [({"name": "a"}, 422), ([{"name": "a"}] * 1001, 413), (b"[", 400), ([], 201)]
)
def test_body_is_a_bounded_array(ann: Caller, body: Any, status: int) -> None:
    assert ann.send("POST", BULK, body).status == status


def test_errors_are_bounded(ann: Caller) -> None:
    assert len(errors(ann.send("POST", BULK, [{}] * 1000))) == 100


def test_most_items_are_stored(ann: Caller) -> None:
    reply = ann.send("POST", BULK, [{"name": f"n{number}"} for number in range(1000)])
    assert (reply.status, len(reply.json["items"])) == (201, 1000)


def test_nobody_writes_anonymously(shop: Core) -> None:
    for method in ("POST", "PATCH", "DELETE"):
        assert shop.anonymous.send(method, BULK, []).status == 401


def test_single_operations_decide_methods(ann: Caller) -> None:
    reply = ann.send("DELETE", "/api/notes/bulk", [])
    assert (reply.status, "POST" in reply.headers["Allow"]) == (405, True)
    assert ann.send("POST", "/api/notes/bulk", [{"text": "a"}]).status == 201


def test_wire_lists_what_it_offers(ann: Caller) -> None:
    key = made(ann, "a")[0]
    reply = ann.send("POST", "/legacy/orders/bulk", [{"client_id": key, "sum": 5}])
    assert (reply.status, reply.json[0]["sum"]) == (201, "5.00")
    assert errors(ann.send("POST", "/legacy/orders/bulk", [{"client_id": key[:-1]}]))[0][0] == "/0/client_id"
    assert ann.send("POST", "/other/orders/bulk", []).status in (404, 405)
