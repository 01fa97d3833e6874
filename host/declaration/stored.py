"""Fields that a resource stores, and those it derives: which keys go together, and whether null is a value."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Final

from host.declaration.files import completed_file, is_file
from host.declaration.nodes import Counter, Field, Random
from host.declaration.problems import Code
from host.declaration.types import is_written, link_field
from host.declaration.workspace import Workspace, owner_of, short

KINDS: Final = ("computed", "rollup", "counter", "random", "transient")
_NOT_DERIVED: Final = ("required", "nullable", "default", "set", "write", "unique", "column", "was")
_NOT_TRANSIENT: Final = ("set", "read", "unique", "column", "was", "secret")


def link_stored(workspace: Workspace, field: Field, resource: str, name: str) -> Field:
    """A resource's own field, typed, with `nullable`, `column` and `set` decided."""
    path = f"{short(resource)}.fields.{name}"
    linked = link_field(workspace, field, owner_of(resource), path, "stored")
    if linked.mirror:
        linked = replace(linked, set="server")
    _check_kinds(workspace, linked, path)
    if linked.counter:
        _check_counter(workspace, linked, linked.counter, path)
        linked = replace(linked, set="server")
    if linked.random:
        _check_random(workspace, linked, linked.random, path)
        linked = replace(linked, set="server", unique=True, max=linked.max or linked.random.length)
    if is_file(workspace, linked):
        linked = completed_file(workspace, linked, resource, path)
    return replace(linked, nullable=_nullable(linked), column=_column(linked, name))


def _nullable(field: Field) -> bool:
    if field.nullable is not None:
        return field.nullable
    return not (field.required or field.default is not None or field.counter or field.random)


def _column(field: Field, name: str) -> str | None:
    is_stored = not (field.computed or field.rollup or field.transient)
    return (field.column or name) if is_stored else None


def _check_kinds(ws: Workspace, field: Field, path: str) -> None:
    def refuse(key: str, message: str, code: Code = "conflict") -> None:
        ws.problems.add(code, field.place.name(key), path, message)

    kinds = [key for key in KINDS if getattr(field, key)]
    if len(kinds) > 1:
        refuse(kinds[1], f"`{kinds[0]}` and `{kinds[1]}` exclude each other")
        return
    kind = kinds[0] if kinds else None
    refused = {"computed": _NOT_DERIVED, "rollup": _NOT_DERIVED, "transient": _NOT_TRANSIENT}.get(
        kind or "", ()
    )
    for key in refused:
        if _says(field, key):
            refuse(key, f"`{key}` has no meaning with `{kind}`: the value is never stored")
    if field.required and field.nullable:
        refuse("nullable", "`required` is never null")
    if kind in ("counter", "random") and (field.default is not None or field.set == "once"):
        verb = "counts" if kind == "counter" else "draws"
        refuse(
            "default" if field.default is not None else "set", f"the server {verb}: nobody else gives a value"
        )
    if field.set == "server" and field.write:
        refuse("write", "`set: server` leaves nobody to write it")
    if field.type in ("json", "list", "object") and field.unique:
        refuse("unique", f"a {field.type} cannot be unique", "not_unique")


def _says(field: Field, key: str) -> bool:
    return bool(field.required) if key == "required" else is_written(field, key)


def _check_counter(ws: Workspace, field: Field, counter: Counter, path: str) -> None:
    def refuse(key: str, message: str) -> None:
        ws.problems.add("counter", counter.place.of(key), f"{path}.counter", message)

    if field.type not in ("integer", "string"):
        refuse("format", f"a counter is an integer or a string, not a {field.type}")
    elif field.type == "integer" and counter.format != "{n}":
        refuse("format", "an integer has no `format`")
    elif not _is_format(counter.format):
        refuse("format", f'"{counter.format}" is not a format with `{{n}}`, such as INV-{{n:05d}}')


def _is_format(text: str) -> bool:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        return names == ["n"] and bool(text.format(n=1))
    except (ValueError, IndexError, KeyError):
        return False


def _check_random(ws: Workspace, field: Field, random: Random, path: str) -> None:
    def refuse(key: str, message: str) -> None:
        ws.problems.add("random", random.place.of(key), f"{path}.random", message)

    if field.type != "string":
        refuse("length", f"what is drawn is a string, not of the type {field.type}")
    elif not 4 <= random.length <= 200:
        refuse("length", "draw from 4 to 200 letters")
    elif field.max is not None and field.max < random.length:
        refuse("length", f"{random.length} letters do not fit into `max: {field.max}`")
    elif len(set(random.letters)) < max(2, len(random.letters)) or not random.letters.isalnum():
        refuse("letters", "at least two different letters or digits, each once")
