"""Named wires: what a wire takes from the one it is like, and what stays its own."""

from __future__ import annotations

from collections.abc import Callable

from host.declaration.nodes import Declaration, Wire, WireErrors, WireName

Declare = Callable[..., Declaration]
ORBIX = """
wires:
  orbix:
    list: array
    page: {unpaged: 5000}
    names: {owner: user_id, title: name}
    also: {_id: id, heading: title}
    through: {author: owner.username, project_title: project.title}
    parameters: {since: {field: created_at, operator: gte}, of: project.id}
    hide: [version]
    units: {spent: seconds}
    create: 200
    unknown: ignore
    errors: {keys: [error], status: {invalid: 400}}
"""


def wire_of(declaration: Declaration, resource: str = "demo.note") -> Wire:
    return declaration.resources[resource].wires["main"]


def with_note(wire: str, more: str = "fields: {title: string}") -> str:
    return f"grammar: 1\n{ORBIX}\nresources: {{note: {{access: public, mixins: [owned], {more}, wire: {wire}}}}}\n"


def test_wire_takes_what_it_lacks(declare: Declare) -> None:
    wire = wire_of(declare(with_note("{like: orbix}")))
    assert (wire.list.form, wire.page.unpaged, wire.create.status) == ("array", 5000, 200)
    assert wire.unknown == "ignore"
    assert wire.like is None


def test_written_defaults_win_too(declare: Declare) -> None:
    wire = wire_of(declare(with_note("{like: orbix, list: standard, unknown: refuse, page: {}}")))
    assert (wire.list.form, wire.unknown, wire.page.unpaged) == ("standard", "refuse", None)


def test_mappings_are_merged_by_key(declare: Declare) -> None:
    wire = wire_of(declare(with_note("{like: orbix, names: {title: subject}, also: {key: id}}")))
    assert {key: it.name for key, it in wire.names.items()} == {"owner": "user_id", "title": "subject"}
    assert wire.also == {"_id": "id", "heading": "title", "key": "id"}


def test_other_keys_are_taken_whole(declare: Declare) -> None:
    wire = wire_of(declare(with_note("{like: orbix, errors: {keys: [message]}, hide: [title]}")))
    assert wire.errors == WireErrors(keys=("message",))
    assert wire.hide == ("title",)


def test_shape_is_silent_about_absent_fields(declare: Declare) -> None:
    wire = wire_of(declare(with_note("{like: orbix}", "fields: {amount: integer}")))
    assert wire.names == {"owner": WireName(name="user_id")}
    assert wire.also == {"_id": "id"}
    assert wire.through == {"author": "owner.username"}
    assert (wire.hide, wire.units, wire.parameters) == ((), {}, {})


def test_wires_are_like_each_other(declare: Declare) -> None:
    text = with_note("{like: plain}").replace(
        "wires:", "wires:\n  plain: {like: orbix, list: {key: notes}}", 1
    )
    wire = wire_of(declare(text))
    assert (wire.list.form, wire.list.key, wire.page.unpaged) == ("standard", "notes", 5000)


def test_wires_of_dependencies_can_be_used(declare: Declare) -> None:
    declaration = declare(
        {
            "resources.yaml": "grammar: 1\nsite: {name: Test, plugins: [base, demo]}\n",
            "plugins/base/plugin.yaml": "name: base\nversion: 0.1.0\n",
            "plugins/base/resources.yaml": f"grammar: 1\n{ORBIX}",
            "plugins/demo/plugin.yaml": "name: demo\nversion: 0.1.0\ndepends: [base]\n",
            "plugins/demo/resources.yaml": "grammar: 1\nresources: {note: {access: public, wire: {like: base.orbix}}}\n",
        }
    )
    assert wire_of(declaration).list.form == "array"


def test_endpoints_take_input_and_errors(declare: Declare) -> None:
    endpoints = """
endpoints:
  near: {path: /api/near, access: public, call: a.near, like: orbix}
  far: {path: /api/far, access: public, call: a.far, like: orbix, unknown: refuse}
"""
    found = declare(f"grammar: 1\n{ORBIX}{endpoints}").endpoints
    assert (found["demo.near"].unknown, found["demo.near"].errors.keys) == ("ignore", ("error",))
    assert (found["demo.far"].unknown, found["demo.far"].errors.keys) == ("refuse", ("error",))


def test_declared_shapes_are_complete(declare: Declare) -> None:
    found = declare(f"grammar: 1\n{ORBIX}  plain: {{like: orbix, page: {{}}}}\n")
    declared = {it.name: it.declarations.wires for it in found.plugins}
    assert declared["demo"]["plain"].list.form == "array"
