"""Writing under the rules: what is refused is refused as a whole, and says where."""

import threading
from typing import Any

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  client:
    mixins: [owned, soft_delete]
    fields: {name: {type: string, required: true}}
    access: owner
  invoice:
    mixins: [owned, stamped, versioned]
    fields:
      number: {type: string, counter: {per: owner, format: "INV-{n:03d}"}}
      status: {type: enum, values: [draft, sent], default: draft}
      total: {type: decimal, default: "1.5", min: 0}
      margin: {type: decimal, read: "role('admin')", write: "role('admin')"}
      note: {type: text, read: "role('admin')"}
      due: {type: date, default: "2026-01-31"}
      once: {type: string, set: once}
      code: {type: string, max: 20}
      mail: {type: email}
      reason: {type: string, transient: true, write: "role('admin')"}
    relations: {client: {to: client, same_owner: true}}
    unique: [[owner, number], {fields: [code], where: "status == 'draft'"}, {fields: [mail], lower: [mail]}]
    checks: [{that: "total < 1000", message: too much, at: total}, "status == 'draft' or client is not None"]
    access:
      every: owner
      list: authenticated
      get: [owner, "role('admin')", "status == 'sent'"]
      create: "owner and total != 13"
      update: "owner and (status == 'draft' or total < 500)"
      delete: "owner and status == 'draft'"
  strict:
    mixins: [{versioned: {required: true}}]
    access: public
    fields: {name: string}
  loose:
    access: public
    fields: {name: string, size: integer}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


PATH = "/api/invoices"


def test_defaults_are_native_values(core: Core) -> None:
    row = core.user().make(PATH)
    assert (row["status"], row["total"], row["due"]) == ("draft", "1.50", "2026-01-31")
    assert row["version"] == 1


def test_numbers_are_counted_per_owner(core: Core) -> None:
    ann, bob = core.user(), core.user()
    assert [ann.make(PATH)["number"], ann.make(PATH)["number"], bob.make(PATH)["number"]] == [
        "INV-001",
        "INV-002",
        "INV-001",
    ]


def test_refused_create_leaves_no_gap(core: Core) -> None:
    ann = core.user()
    assert ann.post(PATH, {"total": "13"}).status == 403
    assert ann.get(PATH + "?count=exact").json["items"] == [
        row
        for row in ann.get(PATH).json["items"]
        if row["owner"] != ann.actor.id  # type: ignore[union-attr]
    ]
    assert ann.make(PATH)["number"] == "INV-001"


def test_imported_numbers_are_passed_over(core: Core) -> None:
    ann = core.user()
    with core.writing() as ctx:
        ctx.records("invoice").create({"owner": ann.actor.id, "number": "INV-002"})  # type: ignore[union-attr]
    assert [ann.make(PATH)["number"] for _ in range(2)] == ["INV-001", "INV-003"]


def test_two_threads_never_share_a_number(core: Core) -> None:
    ann = core.user()
    numbers: list[str] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(ann.make(PATH)["number"] for _ in range(5)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"INV-{number:03d}" for number in range(1, 16)]


def test_hidden_row_is_not_found(core: Core) -> None:
    row = core.user().make(PATH)
    bob = core.user()
    path = f"{PATH}/{row['id']}"
    replies = [bob.get(path), bob.patch(path, {}), bob.put(path, {}), bob.delete(path)]
    assert [reply.status for reply in replies] == [404] * 4


def test_visible_row_of_another_is_forbidden(core: Core) -> None:
    ann, bob = core.user(), core.user()
    client = ann.make("/api/clients", name="a")
    row = ann.make(PATH, status="sent", client=client["id"])
    path = f"{PATH}/{row['id']}"
    assert bob.get(path).status == 200
    assert [bob.patch(path, {"total": 2}).status, bob.delete(path).status, ann.delete(path).status] == [
        403
    ] * 3


def test_row_may_not_become_forbidden(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, client=ann.make("/api/clients", name="a")["id"])
    path = f"{PATH}/{row['id']}"
    assert ann.patch(path, {"status": "sent", "total": 600}).status == 403
    assert ann.get(path).json == row


def test_field_rule_refuses_writing_there(core: Core) -> None:
    ann, admin = core.user(), core.user(role="admin")
    refused = ann.post(PATH, {"margin": 1, "reason": "x"})
    assert (refused.status, sorted(refused.pointers)) == (403, ["/margin", "/reason"])
    row = admin.make(PATH, margin="2.00", note="psst", reason="x")
    assert (row["margin"], row["note"]) == ("2.00", "psst")
    assert ann.make(PATH, note="mine").get("note") is None


def test_put_leaves_alone_what_it_may_not_touch(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total=5, code="keep")
    with core.writing() as ctx:
        ctx.records("invoice").update(row["id"], {"margin": 7, "note": "of the admin"})
    reply = ann.put(f"{PATH}/{row['id']}", {"total": 6})
    assert (reply.status, reply.json["code"]) == (200, None)
    native = core.native("invoice", row["id"])
    assert (native["margin"], native["note"], native["total"]) == (7, "of the admin", 6)


def test_put_replaces_and_patch_does_not(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total=5, due="2027-01-01", code="c-put")
    path = f"{PATH}/{row['id']}"
    assert ann.patch(path, {"code": "d-put"}).json["total"] == "5.00"
    replaced = ann.put(path, {"code": "e-put"}).json
    assert (replaced["total"], replaced["due"], replaced["code"]) == ("1.50", "2026-01-31", "e-put")


@pytest.mark.parametrize(
    ("values", "pointers"),
    [
        ({"number": "X"}, ["/number"]),
        ({"id": "x"}, ["/id"]),
        ({"owner": "x"}, ["/owner"]),
        ({"version": 5}, ["/version"]),
        ({"created_at": "2026-01-01T00:00:00Z"}, ["/created_at"]),
        ({"nobody": 1}, ["/nobody"]),
        ({"status": None}, ["/status"]),
        ({"total": 1000}, ["/total"]),
        ({"client": "01890a5d-ac96-774b-bcce-b302099a8057"}, ["/client"]),
        ({"client": "x"}, ["/client"]),
        ({"status": "sent"}, []),
    ],
)
def test_wrong_input_is_invalid_there(core: Core, values: dict[str, Any], pointers: list[str]) -> None:
    ann = core.user()
    reply = ann.post(PATH, values)
    assert reply.status == 422
    assert [it for it in reply.pointers if it] == pointers
    assert ann.make(PATH)["number"] == "INV-001"


def test_broken_check_says_what_was_declared(core: Core) -> None:
    reply = core.user().post(PATH, {"total": 1000})
    assert reply.json["errors"] == [{"pointer": "/total", "code": "check", "detail": "too much"}]


def test_once_is_set_on_create_only(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, once="a")
    assert ann.patch(f"{PATH}/{row['id']}", {"once": "b"}).pointers == ["/once"]
    assert ann.put(f"{PATH}/{row['id']}", {}).json["once"] == "a"


@pytest.mark.parametrize(
    ("name", "first", "second"), [("code", "dup", "dup"), ("mail", "a@B.org", "A@b.ORG")]
)
def test_duplicate_names_the_field(core: Core, name: str, first: str, second: str) -> None:
    ann = core.user()
    ann.make(PATH, **{name: first})
    reply = core.user().post(PATH, {name: second})
    assert (reply.status, reply.pointers) == (409, [f"/{name}"])


def test_partial_unique_ends_with_its_condition(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, code="part", client=ann.make("/api/clients", name="a")["id"])
    ann.patch(f"{PATH}/{row['id']}", {"status": "sent"})
    assert ann.post(PATH, {"code": "part"}).status == 201


def test_reference_to_anothers_row_is_refused(core: Core) -> None:
    foreign = core.user().make("/api/clients", name="theirs")
    ann = core.user()
    assert ann.post(PATH, {"client": foreign["id"]}).pointers == ["/client"]
    own = ann.make("/api/clients", name="own")
    ann.delete(f"/api/clients/{own['id']}")
    assert ann.post(PATH, {"client": own["id"]}).pointers == ["/client"]


def test_system_keeps_owners_apart(core: Core) -> None:
    ann, bob = core.user(), core.user()
    client = ann.make("/api/clients", name="a")
    with pytest.raises(Exception, match="not there"), core.writing() as ctx:
        ctx.records("invoice").create({"owner": bob.actor.id, "client": client["id"]})  # type: ignore[union-attr]


def test_stale_version_is_refused(core: Core) -> None:
    ann = core.user()
    row = ann.post(PATH, {})
    path = f"{PATH}/{row.json['id']}"
    tag = ann.get(path).headers["ETag"]
    assert ann.patch(path, {"total": 2}, {"If-Match": tag}).status == 200
    stale = ann.patch(path, {"total": 3}, {"If-Match": tag})
    assert (stale.status, ann.delete(path, {"If-Match": tag}).status) == (412, 412)
    assert ann.patch(path, {"total": 3}, {"If-Match": "*"}).json["version"] == 3


def test_required_version_is_demanded(core: Core) -> None:
    caller = core.anonymous
    row = caller.post("/api/stricts", {"name": "a"})
    path = f"/api/stricts/{row.json['id']}"
    assert [caller.patch(path, {}).status, caller.put(path, {}).status, caller.delete(path).status] == [
        428
    ] * 3
    assert caller.patch(path, {"name": "b"}, {"If-Match": row.headers["ETag"]}).status == 200


def test_content_tag_guards_unversioned_rows(core: Core) -> None:
    caller = core.anonymous
    made = caller.post("/api/looses", {"name": "a"})
    path = f"/api/looses/{made.json['id']}"
    tag = caller.get(path).headers["ETag"]
    assert tag == made.headers["ETag"]
    assert caller.patch(path, {"size": 2}, {"If-Match": tag}).status == 200
    assert caller.patch(path, {"size": 3}, {"If-Match": tag}).status == 412


@pytest.mark.parametrize("path", [PATH, "/api/looses"])
def test_one_of_two_writers_wins(core: Core, path: str) -> None:
    ann = core.user()
    made = ann.post(path, {})
    url = f"{path}/{made.json['id']}"
    statuses: list[int] = []
    barrier = threading.Barrier(2)

    def write(number: int) -> None:
        barrier.wait()
        body = {"code": f"w{number}{url[-6:]}"} if path == PATH else {"size": number}
        statuses.append(ann.patch(url, body, {"If-Match": made.headers["ETag"]}).status)

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412]


def test_unchanged_patch_keeps_the_version(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total=5)
    assert ann.patch(f"{PATH}/{row['id']}", {"total": "5.00"}).json["version"] == 1


def test_deleted_row_is_gone_everywhere(core: Core) -> None:
    ann = core.user()
    client = ann.make("/api/clients", name="a")
    path = f"/api/clients/{client['id']}"
    assert ann.delete(path).status == 204
    assert [ann.get(path).status, ann.patch(path, {}).status, ann.delete(path).status] == [404] * 3
    assert ann.get("/api/clients?count=exact").json["total"] == 0


def test_row_without_values_can_be_made(core: Core) -> None:
    assert core.anonymous.make("/api/looses")["name"] is None
