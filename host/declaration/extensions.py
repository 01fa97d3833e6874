"""Fields that plugins add to the account: `extend: {account: {fields: …}}`. A step of the linker.

A column that a plugin adds is never required: the account has to work without it where the plugin is not enabled.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from host.declaration.keys import attributes
from host.declaration.nodes import AnyOf, Field, Key, Name, Resource
from host.declaration.stored import link_stored
from host.declaration.workspace import ACCOUNT, HOST, Workspace

_REFUSED: Final = ("required", "nullable", "computed", "rollup", "counter", "random", "transient")


def link_extensions(workspace: Workspace) -> None:
    """Add the plugins' fields to the linked account, in the plugins' order."""
    for plugin, source in workspace.plugins.items():
        for name, field in source.declarations.extend.account.fields.items():
            if ACCOUNT in workspace.resources:
                _add(workspace, plugin, name, field)


def _add(ws: Workspace, plugin: str, name: Name, field: Field) -> None:
    account, path = ws.resources[ACCOUNT], f"extend.account.fields.{name}"
    for key in _REFUSED:
        if getattr(field, key):
            message = f"`{key}` has no meaning here: accounts exist without the plugin"
            ws.problems.add("out_of_place", field.place.name(key), path, message)
            return
    taken = attributes(account).get(name)
    if taken is not None:
        whose = taken.extends if isinstance(taken, Field) and taken.extends else HOST
        message = f'the account has a field "{name}" of {whose} already: name it otherwise'
        ws.problems.add("duplicate_name", field.place, path, message)
        return
    linked = replace(_linked(ws, plugin, name, field), nullable=True, extends=plugin)
    if (other := _column_taken(account, linked.column or "")) is not None:
        message = f'the column "{linked.column}" is taken by "{other}"'
        ws.problems.add("column_claimed", field.place.of("column"), path, message)
        return
    ws.resources[ACCOUNT] = replace(account, fields={**account.fields, name: linked})
    if not linked.secret:
        _show(ws, "host.profile", name, linked)
    if linked.write and linked.set is None:
        _show(ws, "host.profile_change", name, linked)


def _show(ws: Workspace, kind: str, name: Name, field: Field) -> None:
    """Add the field's value to a type of the host's: what an account reads of itself, and what it sends."""
    node = ws.types.get(kind)
    if node is not None:
        value = replace(
            field,
            read=(),
            write=(),
            unique=False,
            column=None,
            was=None,
            extends=None,
            default=None,
            secret=False,
        )
        ws.types[kind] = replace(node, fields={**node.fields, Key(name): value})


def _linked(ws: Workspace, plugin: str, name: str, field: Field) -> Field:
    """The field typed in the plugin's words; its column has the plugin's name in front, so that no two ever meet."""
    linked = link_stored(ws, field, f"{plugin}.extend.account", name)
    rules = ws.rules
    return replace(
        linked,
        column=field.column or f"{plugin}_{name}",
        was=Name(f"{plugin}_{field.was}") if field.was and not field.column else field.was,
        read=_qualified(field.read, plugin, rules),
        write=_qualified(field.write, plugin, rules),
    )


def _column_taken(account: Resource, column: str) -> str | None:
    fields = (name for name, it in account.fields.items() if (it.column or "").lower() == column.lower())
    return "id" if column == "id" else next(fields, None)


def _qualified(rule: AnyOf, plugin: str, rules: Mapping[str, object]) -> AnyOf:
    """The plugin's named rules as the host's account has to call them: `demo.staff` for `staff`."""
    return tuple(_spelled(text, plugin, rules) for text in rule)


def _spelled(text: str, plugin: str, rules: Mapping[str, object]) -> str:
    try:
        parsed = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return text  # told where rules are checked
    found = [it for it in ast.walk(parsed) if isinstance(it, ast.Name) and f"{plugin}.{it.id}" in rules]
    for node in found:
        node.id = f"{plugin}.{node.id}"
    return ast.unparse(parsed) if found else text
