"""Wires: the outer shape of a resource, and that nothing of it reaches rules or storage."""

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  invoice:
    access: {every: owner, list: authenticated, get: authenticated}
    mixins: [{owned: {by: hex}}, stamped]
    fields:
      title: {type: string, required: true, max: 20}
      amount: {type: decimal, min: 0}
      due: date
      paid_at: datetime
      took: duration
      secret_note: string
      flag: {type: boolean, default: false}
    relations: {client: {to: client, on_delete: restrict}}
    unique: [title]
    query: {filter: [title, client, due, took], sort: [title, amount], default_sort: title, expand: [client]}
    wires:
      main: {}
      legacy:
        path: /api/old
        paths: [/api/older]
        slash: both
        operations: [list, get, create, update, delete]
        list: {form: array, sort: -title}
        page: {unpaged: 3}
        names: {title: {name: label, accept: [caption]}, client: {name: client_id, accept: [clientId]}, owner: user_id}
        also: {_id: id, name: title}
        through: {client_name: client.name, author: owner.username}
        constants: {kind: invoice, meta: {v: 1}}
        parameters: {city: client.city, before: {field: due, operator: lte}}
        hide: [secret_note, flag]
        values: {decimal: number, datetime: epoch, duration: minutes, lenient_dates: true, blank: none}
        units: {took: seconds}
        create: {status: 200, body: id_message, message: Made, also: [title, took]}
        update: {methods: [PUT, POST], partial: true, body: message}
        delete: {status: 200, body: "null"}
        unknown: ignore
        errors: {keys: [error, msg], constants: {success: false},
        status: {invalid: 400, duplicate: 400, not_found: 410, malformed_key: 400}}
      bodies:
        path: /api/bodies
        operations: [create, update, delete, get]
        create: {body: id}
        update: {status: 202, body: none}
        delete: {body: row}
      plain:
        path: /api/plain
        operations: [list, get, create]
        list: {form: array, pages: offset, sort: title}
        page: {unpaged: 3}
        values: {datetime: naive, naive: UTC}
        errors: {status: {invalid: 400, reference: 404}}
  client:
    access: authenticated
    fields: {name: string, city: string}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(
        SITE.replace(
            "constants: {success: false}, status: {", "constants: {success: false},\n          status: {"
        )
    )


def test_names_and_values_go_both_ways(core: Core) -> None:
    ann = core.user()
    client = ann.make("/api/clients", name="Acme", city="Ulm")
    made = ann.post("/api/old/", {
        "caption": "Both ways", "clientId": client["id"], "amount": 1.5, "due": "2026-01-31T10:00:00Z", "paid_at": 60,
        "took": 90, "flag": True, "secret_note": "x", "whatever": [1],
    })  # fmt: skip
    assert (made.status, made.json) == (
        200,
        {"id": made.json["id"], "message": "Made", "label": "Both ways", "took": 90},
    )
    assert made.headers["Location"] == f"/api/old/{made.json['id']}"
    shown = ann.get(f"/api/older/{made.json['id']}/").json
    stamps = {shown.pop("created_at"), shown.pop("updated_at")}
    assert all(isinstance(it, int) for it in stamps)
    assert shown == {
        "id": made.json["id"], "_id": made.json["id"], "label": "Both ways", "name": "Both ways",
        "amount": 1.5, "due": "2026-01-31",
        "paid_at": 60, "took": 90, "client_id": client["id"], "user_id": ann.actor.hex,
        "client_name": "Acme",  # type: ignore[union-attr]
        "author": ann.actor.account["username"], "kind": "invoice", "meta": {"v": 1},  # type: ignore[union-attr]
    }  # fmt: skip
    plain = ann.get(f"/api/invoices/{made.json['id']}").json
    assert (plain["amount"], plain["took"], plain["flag"], plain["secret_note"]) == (
        "1.50",
        "PT1M30S",
        False,
        None,
    )


def test_empty_texts_mean_null_where_declared(core: Core) -> None:
    ann = core.user()
    row = ann.post("/api/old", {"label": "Blank", "due": "", "amount": "", "client_id": ""}).json
    shown = ann.get(f"/api/old/{row['id']}").json
    assert (shown["due"], shown["amount"], shown["client_id"], shown["client_name"]) == (
        None,
        None,
        None,
        None,
    )
    assert ann.post("/api/invoices", {"title": "Blank 2", "due": ""}).pointers == ["/due"]


def test_own_name_wins_over_accepted_one(core: Core) -> None:
    ann = core.user()
    row = ann.post("/api/old", {"label": "Own name", "caption": "Accepted"}).json
    assert ann.get(f"/api/old/{row['id']}").json["label"] == "Own name"


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_partial_update_by_other_methods(core: Core, method: str) -> None:
    ann = core.user()
    row = ann.post("/api/old", {"label": f"Partial {method}", "amount": 5}).json
    reply = ann.send(method, f"/api/old/{row['id']}", {"took": 61})
    assert (reply.status, set(reply.json)) == (200, {"message"})
    shown = ann.get(f"/api/old/{row['id']}").json
    assert (shown["amount"], shown["took"]) == (5, 61)
    assert ann.patch(f"/api/old/{row['id']}", {}).status == 405


def test_errors_have_the_declared_form(core: Core) -> None:
    ann = core.user()
    invalid = ann.post("/api/old", {"amount": -1})
    assert (invalid.status, sorted(invalid.pointers)) == (400, ["/amount", "/label"])
    assert invalid.json["success"] is False and invalid.json["status"] == 400
    assert invalid.json["error"] == invalid.json["msg"] != ""
    ann.post("/api/old", {"label": "Twice"})
    duplicate = ann.post("/api/old", {"label": "Twice"})
    assert (duplicate.status, duplicate.pointers) == (400, ["/label"])
    assert [ann.get(f"/api/old/{key}").status for key in ("x", "01890a5d-ac96-774b-bcce-b302099a8057")] == [
        400,
        410,
    ]
    assert ann.get("/api/old?nobody=1").status == 400
    assert "error" not in ann.get("/api/invoices/x").json


def test_named_client_that_is_missing_is_told_by_its_name(core: Core) -> None:
    reply = core.user().post("/api/old", {"label": "Ref", "clientId": "01890a5d-ac96-774b-bcce-b302099a8057"})
    assert reply.pointers == ["/client_id"]


def test_unknown_key_keeps_its_own_name(core: Core) -> None:
    reply = core.user().post("/api/invoices", {"title": "Unknown", "label": 1, "took": "x"})
    assert sorted(reply.pointers) == ["/label", "/took"]


def test_array_has_its_own_order_and_bound(core: Core) -> None:
    ann = core.user()
    city = "Order"
    client = ann.make("/api/clients", name="Order", city=city)
    for number in range(4):
        ann.post(
            "/api/old",
            {"label": f"order {number}", "client_id": client["id"], "due": f"2026-01-0{number + 1}"},
        )
    reply = ann.get(f"/api/old?city={city}")
    assert [row["label"] for row in reply.json] == ["order 3", "order 2", "order 1"]
    assert reply.headers["X-Total-Count"] == "4"
    assert [row["label"] for row in ann.get(f"/api/old?city={city}&before=2026-01-02").json] == [
        "order 1",
        "order 0",
    ]
    assert len(ann.get(f"/api/old?client_id={client['id']}&took[null]=true").json) == 3
    assert ann.get("/api/old?client=x").status == 400


def test_chosen_keys_are_outer_names(core: Core) -> None:
    ann = core.user()
    row = ann.post("/api/old", {"label": "Chosen"}).json
    assert ann.get(f"/api/old/{row['id']}?fields=label,_id,kind").json == {
        "label": "Chosen",
        "_id": row["id"],
        "kind": "invoice",
    }
    assert ann.get(f"/api/old/{row['id']}?fields=title").status == 400


def test_embedded_row_has_the_outer_name(core: Core) -> None:
    ann = core.user()
    client = ann.make("/api/clients", name="Embedded")
    row = ann.post("/api/old", {"label": "Embeds", "client_id": client["id"]}).json
    assert ann.get(f"/api/old/{row['id']}?expand=client_id").json["expand"]["client_id"]["name"] == "Embedded"


def test_bodies_of_writes_are_as_declared(core: Core) -> None:
    ann = core.user()
    made = ann.post("/api/bodies", {"title": "Bodies"})
    assert (made.status, made.json) == (201, {"id": made.json["id"]})
    updated = ann.patch(f"/api/bodies/{made.json['id']}", {"amount": 1})
    assert (updated.status, updated.body) == (202, b"")
    deleted = ann.delete(f"/api/bodies/{made.json['id']}")
    assert (deleted.status, deleted.json["title"]) == (200, "Bodies")
    row = ann.post("/api/old", {"label": "Null"}).json
    gone = ann.delete(f"/api/old/{row['id']}")
    assert (gone.status, gone.body) == (200, b"null")


def test_operations_left_out_do_not_exist(core: Core) -> None:
    ann = core.user()
    assert [ann.get("/api/bodies").status, ann.get("/api/bodies/export").status] == [405, 404]


def test_rules_hold_on_every_wire(core: Core) -> None:
    ann, bob = core.user(), core.user()
    row = ann.post("/api/old", {"label": "Ruled"}).json
    replies = [
        bob.put(f"/api/old/{row['id']}", {}),
        bob.delete(f"/api/older/{row['id']}/"),
        bob.delete(f"/api/bodies/{row['id']}"),
    ]
    assert [reply.status for reply in replies] == [403] * 3


def test_lists_are_cut_by_limit_and_offset(core: Core) -> None:
    ann = core.user()
    client = ann.make("/api/clients", name="Cut")["id"]
    for number in range(5):
        ann.post("/api/plain", {"title": f"cut {number}", "client": client})
    path = f"/api/plain?client={client}"

    def titles(query: str) -> list[str]:
        return [row["title"][-1] for row in ann.get(f"{path}{query}").json]

    assert titles("") == ["0", "1", "2"]
    assert titles("&limit=2") == ["0", "1"]
    assert titles("&limit=2&offset=3") == ["3", "4"]
    assert titles("&offset=4") == ["4"]
    behind = ann.get(f"{path}&limit=1&offset=1")
    link = behind.headers["Link"].partition("<")[2].partition(">")[0]
    assert [row["title"] for row in ann.get(link).json] == ["cut 2"]
    assert ann.get(path).headers["X-Total-Count"] == "5"
    refused = ann.get(f"{path}&limit=4&offset=-1")
    assert (refused.status, refused.pointers) == (400, ["limit", "offset"])
    assert ann.get(f"/api/invoices?client={client}&limit=1").status == 422


def test_naive_instants_are_utc(core: Core) -> None:
    ann = core.user()
    made = ann.make("/api/plain", title="Naive", paid_at="2026-01-31T12:00:00.250000+02:00")
    assert made["paid_at"] == "2026-01-31T10:00:00.250000"
    again = ann.make("/api/plain", title="Naive 2", paid_at=made["paid_at"])
    assert again["paid_at"] == made["paid_at"]
    assert ann.get(f"/api/plain/{made['id']}").json == made


def test_missing_references_have_a_status(core: Core) -> None:
    ann = core.user()
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert ann.post("/api/plain", {"title": "Refers", "client": nobody}).status == 404
    assert ann.post("/api/plain", {"title": "Refers", "client": "x"}).status == 400
    assert ann.post("/api/plain", {"client": nobody}).status == 400
