"""Imports: under the rules of single writes, all or nothing, with a report by line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.transfer.shop import Shop, lines, wrong


def customer(shop: Shop, name: str = "Acme") -> str:
    """The key of a new customer of ann's."""
    shop.take("customer", lines({"name": name}), shop.ann)
    key: str = shop.rows("customer", f"name={name}")[0]["id"]
    return key


def test_rows_are_stored(both: Shop) -> None:
    report = both.take("customer", lines({"name": "a"}, {"name": "b", "vip": True}), both.ann)
    assert (report.rows, report.created, report.errors) == (2, 2, [])
    rows = both.rows("customer", "sort=name&fields=name,vip,owner,version")
    assert rows == [
        {"name": "a", "vip": False, "owner": both.ann.id, "version": 1},
        {"name": "b", "vip": True, "owner": both.ann.id, "version": 1},
    ]


def test_every_wrong_line_is_reported(shop: Shop) -> None:
    data = b'{"name":"a"}\n\n{"name":5,"vip":1}\n{"nam":1}\nxx\n[1]\n{"name":"b","email":"no"}\n'
    report = shop.take("customer", data, shop.ann)
    assert wrong(report) == [
        (3, "/name", "invalid"), (3, "/vip", "invalid"), (4, "/nam", "unknown"), (5, "", "malformed"),
        (6, "", "malformed"), (7, "/email", "invalid"),
    ]  # fmt: skip
    assert (report.rows, report.created) == (6, 0)


def test_nothing_is_stored_with_an_error(both: Shop) -> None:
    both.take("customer", lines(*({"name": f"n{number}"} for number in range(700)), {"name": 1}), both.ann)
    assert both.rows("customer") == []


def test_dry_run_stores_nothing(shop: Shop) -> None:
    report = shop.take("customer", lines({"name": "a"}), shop.ann, dry_run=True)
    assert (report.created, report.dry_run) == (1, True)
    assert shop.rows("customer") == []


def test_errors_of_database_have_lines(both: Shop) -> None:
    rows = lines({"name": "a", "email": "a@x.org"}, {"name": "b"}, {"name": "c", "email": "a@x.org"})
    assert wrong(both.take("customer", rows, both.ann)) == [(3, "/email", "duplicate")]


def test_references_are_checked_by_rule(both: Shop) -> None:
    key = customer(both)
    rows = lines({"customer": key}, {"customer": "01890a5d-ac96-774b-bcce-b302099a8057"})
    assert wrong(both.take("order", rows, both.ann)) == [(2, "/customer", "reference")]
    assert wrong(both.take("order", lines({"customer": key}), both.bob)) == [(1, "/customer", "reference")]


def test_checks_of_fields_hold(both: Shop) -> None:
    rows = lines(
        {"customer": customer(both), "total": "999"}, {"customer": customer(both, "b"), "total": 1000}
    )
    assert wrong(both.take("order", rows, both.ann)) == [(2, "/total", "check")]


def test_create_rule_is_checked(both: Shop) -> None:
    assert wrong(both.take("ledger", lines({"amount": 5}, {"amount": 500}), both.ann)) == [
        (2, "", "forbidden")
    ]
    assert both.take("ledger", lines({"amount": 5}, {}), both.ann).created == 2


def test_write_rule_of_field_is_checked(shop: Shop) -> None:
    rows = lines({"name": "a"}, {"name": "b", "secret_note": "x"})
    assert wrong(shop.take("customer", rows, shop.ann)) == [(2, "/secret_note", "forbidden")]
    assert (
        shop.take(
            "customer", lines({"name": "b", "secret_note": "x"}), shop.site.account("root", role="admin")
        ).created
        == 1
    )


def test_counters_number_imported_rows(both: Shop) -> None:
    key = customer(both)
    both.take("order", lines({"customer": key}, {"customer": key}), both.ann)
    assert sorted(row["number"] for row in both.rows("order")) == ["O-00001", "O-00002"]


def test_links_are_written(both: Shop) -> None:
    both.take("tag", lines({"name": "red"}, {"name": "blue"}))
    tags = [row["id"] for row in both.rows("tag")]
    both.take("order", lines({"customer": customer(both), "tags": tags}), both.ann)
    assert sorted(both.rows("order")[0]["tags"]) == sorted(tags)


def test_server_set_fields_are_passed_over(shop: Shop) -> None:
    row = {
        "id": "0" * 24,
        "customer": customer(shop),
        "number": "X",
        "created_at": "2020-01-01T00:00:00Z",
        "double": "1",
    }
    report = shop.take("order", lines(row), shop.ann)
    assert sorted(report.ignored) == ["created_at", "double", "id", "number"]
    assert shop.rows("order")[0]["number"] == "O-00001"


def test_system_sets_what_server_sets(both: Shop) -> None:
    row = {
        "id": "a" * 24, "customer": customer(both), "number": "O-77777", "owner": both.ann.id,
        "created_at": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    assert wrong(both.take("order", lines(row))) == []
    found = both.rows("order")[0]
    assert {name: found[name] for name in row} == {**row, "created_at": found["created_at"]}
    assert found["created_at"].startswith("2020-01-01T00:00:00")


@pytest.mark.parametrize("owner", [None, "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_system_needs_an_owner(both: Shop, owner: str | None) -> None:
    row: dict[str, Any] = {"name": "a"} if owner is None else {"name": "a", "owner": owner}
    assert [pointer for _, pointer, _ in wrong(both.take("customer", lines(row)))] == ["/owner"]


def test_secret_and_deleted_rows_move_in(shop: Shop) -> None:
    shop.take("document", lines({"title": "gone", "deleted_at": "2020-01-01T00:00:00Z"}, {"title": "here"}))
    assert [row["title"] for row in shop.rows("document")] == ["here"]
    assert shop.take("customer", lines({"name": "a", "pin": "1234", "owner": shop.ann.id})).errors == []


def test_duplicates_are_skipped(shop: Shop) -> None:
    shop.take("tag", lines({"name": "red"}))
    report = shop.take("tag", lines({"name": "red"}, {"name": "blue"}), shop.ann, on_duplicate="skip")
    assert (report.created, report.skipped, report.updated) == (1, 1, 0)


def test_duplicates_are_updated_by_key(both: Shop) -> None:
    key = customer(both)
    rows = lines({"id": key, "name": "Better"}, {"name": "New"})
    report = both.take("customer", rows, both.ann, on_duplicate="update")
    assert (report.created, report.updated) == (1, 1)
    assert [(row["name"], row["version"]) for row in both.rows("customer", "sort=name")] == [
        ("Better", 2),
        ("New", 1),
    ]


def test_updates_obey_the_rules(shop: Shop) -> None:
    rows = lines({"id": customer(shop), "name": "Stolen"})
    report = shop.take("customer", rows, shop.bob, on_duplicate="update")
    assert (report.created, report.updated) == (1, 0)
    assert sorted(row["name"] for row in shop.rows("customer", actor=shop.ann)) == ["Acme"]


def test_required_version_guards_updates(shop: Shop) -> None:
    shop.take("document", lines({"title": "a"}))
    row = shop.rows("document")[0]
    without = {"id": row["id"], "title": "b"}
    for version, codes in ((None, ["precondition_required"]), (1, []), (1, ["precondition_failed"])):
        data = lines(without if version is None else {**without, "version": version})
        assert [
            code for _, _, code in wrong(shop.take("document", data, shop.ann, on_duplicate="update"))
        ] == codes


def test_natural_keys_find_their_rows(both: Shop) -> None:
    both.take("place", lines({"country": "de", "code": 1, "name": "a"}))
    report = both.take(
        "place", lines({"country": "de", "code": 1, "name": "b"}), both.ann, on_duplicate="update"
    )
    assert (report.updated, both.rows("place")[0]["name"]) == (1, "b")


def test_names_are_mapped_and_dropped(shop: Shop) -> None:
    data = lines({"Title": "red", "junk": 1})
    assert shop.take("tag", data, shop.ann, renames={"Title": "name", "junk": ""}).created == 1


def test_errors_are_bounded(shop: Shop) -> None:
    report = shop.take("tag", b"x\n" * 5000, shop.ann)
    assert len(report.errors) == 100
    assert report.rows <= 500


def test_batches_stay_until_it_stops(both: Shop) -> None:
    data = lines({"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": 4}, {"name": "e"})
    report = both.take("tag", data, batch=2)
    assert (report.committed, report.created, wrong(report)) == (2, 2, [(4, "/name", "invalid")])
    assert sorted(row["name"] for row in both.rows("tag")) == ["a", "b"]


def test_stopped_import_goes_on(shop: Shop) -> None:
    shop.take("tag", lines({"name": "a"}, {"name": "b"}, {"name": 3}), batch=2)
    report = shop.take("tag", lines({"name": "a"}, {"name": "b"}, {"name": "c"}), batch=2, skip=2)
    assert (report.created, report.errors) == (1, [])


def test_batches_commit_everything(shop: Shop) -> None:
    report = shop.take("tag", lines(*({"name": f"t{number}"} for number in range(7))), batch=3)
    assert (report.rows, report.committed, len(shop.rows("tag"))) == (7, 7, 7)


@pytest.mark.parametrize("value", ["a\x00b", "\udc00"])
def test_unsound_text_is_refused(shop: Shop, value: str) -> None:
    data = b'{"name":"a\\u0000b"}\n' if value == "a\x00b" else b'{"name":"\\ud800"}\n'
    report = shop.take("tag", data, shop.ann)
    assert [line for line, _, _ in wrong(report)] == [1]


@pytest.mark.timeout(20)
def test_endless_names_cost_little(shop: Shop) -> None:
    names = ",".join(f'"n{number}":1' for number in range(200_000))
    report = shop.take("tag", f"{{{names}}}\n" * 3, shop.ann)
    assert len(report.errors) == 100
    report = shop.take("tag", "name," * 200_000 + "name\n", shop.ann, format="csv")
    assert wrong(report) == [(1, "/name", "repeated")]
