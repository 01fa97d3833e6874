"""What the linker fills in: everything that a compiler may rely on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host.declaration.expressions import And, Column, Compare, Literal, RuleRef, Word
from host.declaration.keys import attributes, key_fields
from host.declaration.memberships import member_relation
from host.declaration.nodes import Declaration, Field, Relation
from host.declaration.paths import routes
from host.declaration.scopes import Scope, resolve

Declare = Callable[..., Declaration]

FREELANCE = """
grammar: 1
rules: {own_draft: "owner and status == 'draft'"}
types:
  money: {type: decimal, digits: 12, places: 2, min: 0, doc: an amount}
  line: {type: object, fields: {amount: {type: money, required: true}, note: string}}
resources:
  client:
    mixins: [owned, stamped, soft_delete, versioned]
    access: owner
    fields: {name: {type: string, required: true}}
    relations: {invoices: {to: invoice, many: true, by: client}, tags: {to: tag, many: true}}
  tag: {access: authenticated, key: [label], fields: {label: {type: string, required: true}}}
  invoice:
    mixins: {owned: {as: user, by: hex, column: user_ref}}
    key: hex24
    access: {read: owner, write: own_draft, create: authenticated}
    fields:
      status: {type: enum, values: [draft, sent], default: draft}
      total: {type: money, max: 100}
      lines: {type: list, of: line}
      number: {type: string, counter: {format: "INV-{n:05d}", per: user}}
    relations: {client: {to: client, required: true, same_owner: true}}
    actions:
      send: {call: actions.send, access: owner, out: invoice}
      summary: {call: actions.summary, access: authenticated, target: collection, method: GET, path: stats/summary, out: line}
    wire: {names: {client: client_id}}
endpoints:
  ping: {method: GET, path: "/api/ping", access: public, call: actions.ping, out: {type: list, of: client}}
"""


@pytest.fixture
def linked(declare: Declare) -> Declaration:
    return declare(FREELANCE)


def test_names_are_qualified(linked: Declaration) -> None:
    assert {"demo.client", "demo.invoice", "host.account"} <= set(linked.resources)
    assert linked.resources["demo.invoice"].relations["client"].to == "demo.client"
    assert set(linked.rules) == {"demo.own_draft"}


def test_paths_and_tables_have_defaults(linked: Declaration) -> None:
    client = linked.resources["demo.client"]
    assert (client.path, client.plural, client.table) == ("/api/demo/clients", "clients", "demo_client")
    assert client.relations["tags"].through == "demo_client_tags"


def test_site_resources_need_no_prefix(declare: Declare) -> None:
    site = "grammar: 1\nsite: {name: Test}\nresources: {note: {access: public, plural: memos}}\n"
    note = declare({"resources.yaml": site}).resources["site.note"]
    assert (note.path, note.table) == ("/api/memos", "site_note")


def test_mixins_become_fields(linked: Declaration) -> None:
    client = linked.resources["demo.client"]
    assert set(client.fields) == {"name", "created_at", "updated_at", "deleted_at", "version"}
    assert client.fields["created_at"].set == client.fields["version"].set == "server"
    assert client.fields["deleted_at"].secret and client.fields["deleted_at"].nullable


def test_owner_becomes_a_relation(linked: Declaration) -> None:
    owner = linked.resources["demo.invoice"].relations["user"]
    assert (owner.to, owner.by, owner.column, owner.set) == ("host.account", "hex", "user_ref", "server")
    assert linked.resources["demo.client"].relations["owner"].column == "owner_id"


def test_key_is_an_attribute_not_a_field(linked: Declaration) -> None:
    invoice = linked.resources["demo.invoice"]
    assert "id" not in invoice.fields
    key = key_fields(invoice)["id"]
    assert isinstance(key, Field) and (key.type, key.min, key.max) == ("string", 24, 24)
    assert list(key_fields(linked.resources["demo.tag"])) == ["label"]
    assert next(iter(attributes(invoice))) == "id"
    assert isinstance(attributes(invoice)["client"], Relation)


def test_named_types_are_merged_and_remembered(linked: Declaration) -> None:
    total = linked.resources["demo.invoice"].fields["total"]
    assert (total.type, total.named, total.digits, total.min, total.max) == (
        "decimal",
        "demo.money",
        12,
        0,
        100,
    )
    lines = linked.resources["demo.invoice"].fields["lines"]
    assert lines.of is not None and lines.of.named == "demo.line"
    assert lines.of.fields["amount"].required and lines.of.fields["amount"].type == "decimal"


def test_null_is_decided(linked: Declaration) -> None:
    fields = linked.resources["demo.invoice"].fields
    assert {name: field.nullable for name, field in fields.items()} == {
        "status": False, "total": True, "lines": True, "number": False,
    }  # fmt: skip


def test_counter_belongs_to_the_server(linked: Declaration) -> None:
    assert linked.resources["demo.invoice"].fields["number"].set == "server"


def test_access_is_spelled_out(linked: Declaration) -> None:
    access = linked.resources["demo.invoice"].access
    assert access is not None
    assert (access.list, access.get, access.create) == (("owner",), ("owner",), ("authenticated",))
    assert access.update == access.delete == ("own_draft",)


def test_one_wire_is_called_main(linked: Declaration) -> None:
    invoice = linked.resources["demo.invoice"]
    assert invoice.wire is None
    assert list(invoice.wires) == ["main"]
    assert invoice.wires["main"].path == "/api/demo/invoices"
    assert invoice.wires["main"].operations == (*invoice.operations, "send", "summary")


def test_answers_name_resources(linked: Declaration) -> None:
    send, summary = (linked.resources["demo.invoice"].actions[name] for name in ("send", "summary"))
    assert send.out is not None and send.out.type == "demo.invoice"
    assert summary.out is not None and (summary.out.type, summary.out.named) == ("object", "demo.line")
    out = linked.endpoints["demo.ping"].out
    assert out is not None and out.of is not None and out.of.type == "demo.client"


def test_actions_have_status_and_transaction(linked: Declaration) -> None:
    invoice = linked.resources["demo.invoice"]
    assert (invoice.actions["send"].status, invoice.actions["send"].write) == (200, True)
    assert (invoice.actions["summary"].write, invoice.actions["send"].path) == (False, "send")


def test_lists_are_sorted_by_key(linked: Declaration) -> None:
    assert linked.resources["demo.client"].query.default_sort == ("id",)
    assert linked.resources["demo.tag"].query.default_sort == ("label",)


def test_routes_are_all_paths(linked: Declaration) -> None:
    found = {
        (route.method, route.path): route.operation for route in routes(linked.resources, linked.endpoints)
    }
    assert found["GET", "/api/demo/invoices"] == "list"
    assert found["PUT", "/api/demo/invoices/{id}"] == "update"
    assert found["POST", "/api/demo/invoices/{id}/send"] == "send"
    assert found["GET", "/api/demo/invoices/stats/summary"] == "summary"
    assert found["DELETE", "/api/demo/tags/{label}"] == "delete"
    assert found["GET", "/api/ping"] == "call"


def test_expressions_resolve_for_compilers(linked: Declaration) -> None:
    scope = Scope("demo", "demo.invoice")
    assert resolve(linked, scope, "own_draft") == RuleRef("demo.own_draft")
    tree = resolve(linked, scope, "owner and row.status == 'draft'")
    assert tree == And((Word("owner"), Compare("==", Column(("status",)), Literal("draft"))))
    assert resolve(linked, scope, "owner == me.id").left == Column(("user",))  # type: ignore[union-attr]


def test_member_is_the_only_account(declare: Declare) -> None:
    linked = declare("""
grammar: 1
resources:
  room: {access: member(members), relations: {members: {to: member, many: true, by: room}}}
  member: {access: authenticated, relations: {room: room, person: account}}
""")
    assert member_relation(linked.resources["demo.member"]) == "person"


def test_plugins_come_after_their_dependencies(declare: Declare) -> None:
    linked = declare({
        "resources.yaml": "grammar: 1\nsite: {name: Test, plugins: [demo, base]}\n",
        "plugins/demo/plugin.yaml": "name: demo\nversion: 0.1.0\nhost: '>=0.1'\ndepends: ['base>=1']\n",
        "plugins/demo/resources.yaml": "grammar: 1\nresources: {a: {access: base.mine, fields: {x: base.size}}}\n",
        "plugins/base/plugin.yaml": "name: base\nversion: 1.0.0\n",
        "plugins/base/resources.yaml": "grammar: 1\nrules: {mine: public}\ntypes: {size: integer}\n",
    })  # fmt: skip
    assert [plugin.name for plugin in linked.plugins] == ["host", "base", "demo", "site"]
    assert linked.resources["demo.a"].fields["x"].named == "base.size"


def test_settings_come_from_site_and_environment(declare: Declare) -> None:
    linked = declare(
        {
            "resources.yaml": "grammar: 1\nsite: {name: Test, plugins: [demo]}\nsettings: {demo: {days: 5}}\n",
            "plugins/demo/plugin.yaml": "name: demo\nversion: 0.1.0\nsettings: {days: {type: integer, default: 1}, "
            "currency: {type: string, default: EUR}, token: {type: string, secret: true}, tags: {type: list, of: string}}\n",
        },
        {"HOSTWRIGHT_DEMO__TOKEN": "abc", "HOSTWRIGHT_DEMO__TAGS": '["a"]'},
    )
    settings = next(plugin.settings for plugin in linked.plugins if plugin.name == "demo")
    assert settings == {"days": 5, "currency": "EUR", "token": "abc", "tags": ["a"]}


def test_large_plugins_have_a_file_for_each_noun(declare: Declare) -> None:
    linked = declare({
        "plugins/demo/resources.yaml": "grammar: 1\nresources: {a: {access: public}}\n",
        "plugins/demo/resources/b.yaml": "grammar: 1\nresources: {b: {access: public, relations: {a: a}}}\n",
    })  # fmt: skip
    assert {"demo.a", "demo.b"} <= set(linked.resources)


def test_mixins_are_a_list_or_a_mapping(declare: Declare) -> None:
    linked = declare("""
grammar: 1
resources:
  a: {access: owner, mixins: [{owned: {as: author}}, stamped]}
  b: {access: owner, mixins: {owned: {as: author}, stamped: {}}}
  c: {access: public, mixins: stamped}
""")
    a, b, c = (linked.resources[f"demo.{name}"] for name in "abc")
    assert a.mixins == b.mixins
    assert "created_at" in c.fields
