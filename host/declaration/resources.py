"""A resource taken by itself: defaults are filled in, mixins expanded, fields and keys checked.

What needs other resources (relations, roll-ups, rules, paths) comes in later steps of the linker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from host.declaration.files import check_mirrors
from host.declaration.keys import ID, key_fields
from host.declaration.mixins import made_by_mixins
from host.declaration.nodes import Field, Name, PathTemplate, Relation, Resource
from host.declaration.problems import Place, did_you_mean
from host.declaration.stored import link_stored
from host.declaration.workspace import SITE, Workspace, owner_of, short

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_RESERVED_TABLE: Final = re.compile(r"(alembic_version|sqlite_|pg_).*")
_NOT_A_KEY: Final = ("json", "list", "object", "float", "boolean", "file", "image", "")


def link_resource(workspace: Workspace, name: str) -> None:
    """Complete one resource on the workspace."""
    resource = workspace.resources[name]
    plugin, bare = owner_of(name), short(name)
    resource = _with_defaults(resource, plugin, bare)
    resource = replace(
        resource,
        fields={key: link_stored(workspace, it, name, key) for key, it in resource.fields.items()},
        relations={key: _with_column(it, key) for key, it in resource.relations.items()},
    )
    check_mirrors(workspace, resource, bare)
    _check_same_names(workspace, resource, bare)
    resource = _with_mixins(workspace, resource, bare)
    _check_key(workspace, resource, bare)
    _check_columns(workspace, resource, bare)
    _check_was(workspace, resource, bare)
    _check_audit(workspace, resource, bare)
    workspace.resources[name] = _in_its_form(resource)


def _check_audit(ws: Workspace, resource: Resource, bare: str) -> None:
    """What is to be noted exists, and a history has something to tell."""
    audit = resource.audit
    known = [*resource.fields, *resource.relations]
    for at, name in enumerate(audit.fields):
        if name not in known:
            message = f'there is no field "{name}"{did_you_mean(name, known)}'
            ws.problems.add("unknown_field", audit.place.of("fields", at), f"{bare}.audit.fields", message)
    if "history" in resource.operations and not audit.writes:
        message = "a history is told out of the audit log: without `audit` there is none"
        ws.problems.add("conflict", audit.place, f"{bare}.audit", message)


def _in_its_form(resource: Resource) -> Resource:
    """Every field knows the form in which the table holds it."""
    if resource.stored == "host":
        return resource
    fields = {name: replace(field, stored=resource.stored) for name, field in resource.fields.items()}
    return replace(resource, fields=fields)


def _with_defaults(resource: Resource, plugin: str, bare: str) -> Resource:
    plural = resource.plural or f"{bare}s"
    path = f"/api/{plural}" if plugin == SITE else f"/api/{plugin}/{plural}"
    return replace(
        resource,
        plural=Name(plural),
        path=resource.path or PathTemplate(path),
        table=resource.table or f"{plugin}_{bare}",
    )


def _with_column(relation: Relation, name: str) -> Relation:
    return relation if relation.many else replace(relation, column=relation.column or f"{name}_id")


def _check_same_names(ws: Workspace, resource: Resource, bare: str) -> None:
    for name, relation in resource.relations.items():
        if name in resource.fields:
            message = f'"{name}" is a field and a relation: rename one'
            ws.problems.add("duplicate_name", relation.place, f"{bare}.relations.{name}", message)
    if not isinstance(resource.key, tuple) and (
        taken := resource.fields.get(Name(ID)) or resource.relations.get(Name(ID))
    ):
        message = '"id" is the key: say its kind with `key`, or name the natural key there'
        ws.problems.add("duplicate_name", taken.place, f"{bare}.{ID}", message)


def _with_mixins(ws: Workspace, resource: Resource, bare: str) -> Resource:
    fields: dict[Name, Field] = dict(resource.fields)
    relations: dict[Name, Relation] = dict(resource.relations)
    for mixin, made, attribute, place in made_by_mixins(resource):
        name = Name(made)
        if name in fields or name in relations:
            message = f'the mixin {mixin} makes "{name}", which is declared too: rename one'
            taken = fields.get(name) or relations[name]
            ws.problems.add("duplicate_name", taken.place, f"{bare}.mixins.{mixin}", message)
        elif isinstance(attribute, Relation):
            relations[name] = _with_column(replace(attribute, place=place), name)
        else:
            fields[name] = replace(attribute, place=place, column=attribute.column or name)
    return replace(resource, fields=fields, relations=relations)


def _check_key(ws: Workspace, resource: Resource, bare: str) -> None:
    if not isinstance(resource.key, tuple):
        return
    place, path = resource.place.of("key"), f"{bare}.key"
    known = [*resource.fields, *(name for name, it in resource.relations.items() if not it.many)]
    if not resource.key:
        ws.problems.add("key", place, path, "a key has at least one field")
    for at, name in enumerate(resource.key):
        here = resource.place.of("key", at)
        attribute = key_fields(resource).get(name)
        if name not in known or attribute is None:
            message = f'there is no field "{name}" to be the key{did_you_mean(name, known)}'
            ws.problems.add("unknown_field", here, path, message)
        elif isinstance(attribute, Field):
            _check_key_field(ws, attribute, name, here, path)
    if len(set(resource.key)) != len(resource.key):
        ws.problems.add("key", place, path, "a field stands twice in the key")


def _check_key_field(ws: Workspace, field: Field, name: str, place: Place, path: str) -> None:
    if field.type in _NOT_A_KEY and field.type:
        ws.problems.add("key", place, path, f'a {field.type} cannot be a key: "{name}"')
    elif field.computed or field.rollup or field.transient or field.secret:
        ws.problems.add("key", place, path, f'"{name}" is not stored, or secret, and cannot be a key')
    elif not field.required and field.set != "server":
        ws.problems.add("key", place, path, f'"{name}" is part of the key and has to be `required`')


def _check_columns(ws: Workspace, resource: Resource, bare: str) -> None:
    _check_identifier(ws, resource.table or "", resource.place.of("table"), f"{bare}.table")
    if _RESERVED_TABLE.fullmatch(resource.table or ""):
        place = resource.place.of("table")
        ws.problems.add(
            "table_claimed", place, f"{bare}.table", f'the table name "{resource.table}" is reserved'
        )
    taken: dict[str, str] = {} if isinstance(resource.key, tuple) else {ID: ID}
    for section, attributes in (("fields", resource.fields), ("relations", resource.relations)):
        _claim_columns(ws, attributes, f"{bare}.{section}", taken)


def _claim_columns(
    ws: Workspace,
    attributes: Mapping[Name, Field] | Mapping[Name, Relation],
    path: str,
    taken: dict[str, str],
) -> None:
    for name, attribute in attributes.items():
        column = attribute.column
        if column is None:
            continue
        _check_identifier(ws, column, attribute.place.of("column"), f"{path}.{name}")
        if (first := taken.setdefault(column.lower(), name)) != name:
            message = f'the column "{column}" is taken by "{first}"'
            ws.problems.add("column_claimed", attribute.place.of("column"), f"{path}.{name}", message)


def _check_identifier(ws: Workspace, name: str, place: Place, path: str) -> None:
    if not _IDENTIFIER.fullmatch(name):
        message = f'"{name}" is not a name for a table or column: letters, digits and _, at most 63'
        ws.problems.add("bad_form", place, path, message)


def _check_was(ws: Workspace, resource: Resource, bare: str) -> None:
    items: list[tuple[str, Field | Relation]] = [*resource.fields.items(), *resource.relations.items()]
    present = {it.column for _, it in items}
    names = {name for name, _ in items}
    former: dict[str, str] = {}
    for name, attribute in items:
        if attribute.was is None:
            continue
        place, path = attribute.place.of("was"), f"{bare}.{name}.was"
        if attribute.was in names or attribute.was in present:
            ws.problems.add("was", place, path, f'"{attribute.was}" is still there: nothing was renamed')
        elif (first := former.setdefault(attribute.was, name)) != name:
            ws.problems.add("was", place, path, f'"{attribute.was}" has become "{first}" already')
