"""Wires: the outer shapes of a resource. Names they mention exist, and no two keys of an answer are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from host.declaration.embeds import check_embeds, embedded_relation
from host.declaration.files import check_wire_files
from host.declaration.keys import attributes
from host.declaration.nodes import Field, Name, Relation, Resource, Wire, WireParameter
from host.declaration.operations import STANDARD
from host.declaration.parents import check_parents
from host.declaration.problems import Place, did_you_mean
from host.declaration.queries import PARAMETERS, comparison_fault, filter_fault, order_fault
from host.declaration.wire_shapes import check_shape, completed
from host.declaration.workspace import Workspace, owner_of, short

MAIN = Name("main")
SEARCHING = ("search", "phrase")
WHOLE = (
    "bulk",
    "export",
    "import",
)  # a wire in the shape of another system has them only where it lists them


def link_wires(workspace: Workspace, name: str) -> None:
    """Give a resource its wires by name, complete; `wire` is short for one called `main`."""
    resource = workspace.resources[name]
    bare = short(name)
    if resource.wire and resource.wires:
        message = "`wire` is short for one of `wires`: write one of the two"
        workspace.problems.add("wire_twice", resource.place.name("wire"), bare, message)
    written = dict(resource.wires) or {MAIN: resource.wire or Wire()}
    wires = {}
    for key, wire in written.items():
        path = f"{bare}.wire" if resource.wire and not resource.wires else f"{bare}.wires.{key}"
        check_shape(workspace, wire, path)
        whole = completed(workspace, resource, wire, owner_of(name), path)
        wires[key] = _linked(workspace, resource, whole, path)
    workspace.resources[name] = replace(resource, wire=None, wires=wires)


def _linked(ws: Workspace, resource: Resource, wire: Wire, path: str) -> Wire:
    offered: list[str] = [*resource.operations, *resource.actions]
    check_parents(ws, resource, wire, path)
    _check_operations(ws, wire, offered, path)
    _check_outer(ws, resource, wire, path)
    _check_through(ws, resource, wire, path)
    check_embeds(ws, resource, wire, path)
    _check_parameters(ws, resource, wire, path)
    _check_units(ws, resource, wire, path)
    _check_list(ws, resource, wire, path)
    check_wire_files(ws, resource, wire, path)
    chosen = (
        [it for it in wire.operations if it in offered]
        if wire.operations is not None
        else [it for it in offered if wire.list.form == "standard" or it not in WHOLE]
    )
    return replace(wire, path=wire.path or resource.path, operations=tuple(Name(it) for it in chosen))


def _check_operations(ws: Workspace, wire: Wire, offered: list[str], path: str) -> None:
    for at, operation in enumerate(wire.operations or ()):
        if operation not in offered:
            hint = did_you_mean(operation, offered) or (
                "; it is not enabled" if operation in STANDARD else ""
            )
            message = f'there is no operation "{operation}"{hint}'
            ws.problems.add(
                "unknown_operation", wire.place.of("operations", at), f"{path}.operations", message
            )


def _check_outer(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    known = attributes(resource)
    for section, mapping in (("names", wire.names), ("also", wire.also)):
        for key, it in mapping.items():
            named = key if section == "names" else str(it)
            place = wire.place.of(section).name(key)
            _check_known(
                ws,
                known,
                named,
                place if section == "names" else wire.place.of(section, key),
                f"{path}.{section}",
            )
    for at, field in enumerate(wire.hide):
        _check_known(ws, known, field, wire.place.of("hide", at), f"{path}.hide")
    _check_beside(ws, known, wire, path)
    _check_distinct(ws, known, wire, path)


def _check_beside(ws: Workspace, known: Mapping[str, object], wire: Wire, path: str) -> None:
    for key, operation in (("create", wire.create), ("update", wire.update), ("delete", wire.delete)):
        for at, field in enumerate(operation.also):
            place = operation.place.of("also", at)
            _check_known(ws, known, field, place, f"{path}.{key}.also")
            if field in wire.hide:
                ws.problems.add("conflict", place, f"{path}.{key}.also", f'this wire hides "{field}"')
        if operation.also and (key == "delete" or operation.body in (None, "row", "null", "none")):
            place = operation.place.name("also")
            message = "what is answered is not `message`, `id` or both of a row: there is nothing beside"
            ws.problems.add("conflict", place, f"{path}.{key}.also", message)


def _check_known(ws: Workspace, known: Mapping[str, object], name: str, place: Place, path: str) -> None:
    if name not in known:
        ws.problems.add(
            "unknown_field", place, path, f'there is no field "{name}"{did_you_mean(name, known)}'
        )


def _check_distinct(ws: Workspace, known: Mapping[str, object], wire: Wire, path: str) -> None:
    shown = [name for name in known if name not in wire.hide]
    outer: dict[str, str] = {}
    for name in shown:
        key = wire.names[name].name if name in wire.names else name
        _claim(ws, outer, key, name, wire.place.of("names", name), f"{path}.names")
    inner = {name: wire.names[name].name if name in wire.names else name for name in shown}
    added = [key for key, it in wire.embed.items() if inner.get(embedded_relation(key, it)) != key]
    sections = {"also": wire.also, "through": wire.through, "constants": wire.constants, "embed": added}
    for section, keys in sections.items():
        for key in keys:
            _claim(ws, outer, key, f"{section}.{key}", wire.place.of(section).name(key), f"{path}.{section}")
    taken = {key: name for key, name in outer.items() if name in known}
    for name, spelled in wire.names.items():
        for at, key in enumerate(spelled.accept):
            _claim(ws, taken, key, name, spelled.place.of("accept", at), f"{path}.names.{name}")


def _claim(ws: Workspace, outer: dict[str, str], key: str, name: str, place: Place, path: str) -> None:
    if (first := outer.setdefault(key, name)) != name:
        ws.problems.add("outer_name", place, path, f'the outer name "{key}" is taken by "{first}"')


def _check_through(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    for key, reference in wire.through.items():
        place = wire.place.of("through", key)
        first, _, inner = reference.partition(".")
        relation = resource.relations.get(Name(first))
        if relation is None or relation.many or not inner:
            ones = [name for name, it in resource.relations.items() if not it.many]
            message = f'"{reference}" is not a field of a to-one relation (`owner.username`){did_you_mean(first, ones)}'
            ws.problems.add("unknown_relation", place, f"{path}.through", message)
        elif relation.to in ws.resources:
            _check_target(ws, relation, inner, place, f"{path}.through")


def _check_target(ws: Workspace, relation: Relation, inner: str, place: Place, path: str) -> None:
    known = attributes(ws.resources[relation.to])
    target = known.get(inner)
    if target is None:
        message = f'{relation.to} has no field "{inner}"{did_you_mean(inner, known)}'
        ws.problems.add("unknown_field", place, path, message)
    elif isinstance(target, Field) and (target.secret or target.transient or target.read):
        ws.problems.add(
            "unknown_field", place, path, f'"{inner}" of {relation.to} is not for everyone to see'
        )


def _check_parameters(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    taken = {wire.names[name].name if name in wire.names else name for name in attributes(resource)}
    taken |= {other for spelled in wire.names.values() for other in spelled.accept}
    for key, parameter in wire.parameters.items():
        place = wire.place.of("parameters").name(key)
        if key in taken or key in PARAMETERS:
            ws.problems.add("outer_name", place, f"{path}.parameters", f'the outer name "{key}" is taken')
        _check_parameter(ws, resource, parameter, f"{path}.parameters.{key}")


def _check_parameter(ws: Workspace, resource: Resource, parameter: WireParameter, path: str) -> None:
    place = parameter.place.of("field")
    if parameter.operator in SEARCHING:
        _check_searching(ws, resource, parameter, path)
        return
    if parameter.field is None:
        ws.problems.add("missing_key", parameter.place, path, 'the key "field" is missing')
        return
    *steps, last = parameter.field.split(".")
    for step in steps:
        relation = resource.relations.get(Name(step))
        if relation is None or relation.many or relation.to not in ws.resources:
            message = f'there is no relation "{step}" to one row{did_you_mean(step, resource.relations)}'
            ws.problems.add("unknown_relation", place, path, message)
            return
        resource = ws.resources[relation.to]
    attribute = attributes(resource).get(last)
    if attribute is None:
        hint = did_you_mean(last, attributes(resource))
        ws.problems.add("unknown_field", place, path, f'there is no field "{last}"{hint}')
    elif why := filter_fault(ws, attribute) or comparison_fault(ws, attribute, parameter.operator):
        ws.problems.add("not_filterable", place, path, f'"{parameter.field}" {why}')


def _check_searching(ws: Workspace, resource: Resource, parameter: WireParameter, path: str) -> None:
    place = parameter.place.of("operator")
    if parameter.field is not None:
        message = f"`{parameter.operator}` looks into `query.search`: leave `field` out"
        ws.problems.add("conflict", place, path, message)
    elif not resource.query.search.names:
        ws.problems.add("not_searchable", place, path, "`query.search` names no fields to look into")


def _check_units(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    known: dict[str, Any] = {str(name): it for name, it in resource.fields.items()}
    for name in wire.units:
        field = known.get(name)
        if field is None or field.type != "duration":
            durations = [key for key, it in known.items() if it.type == "duration"]
            message = f'"{name}" is not a duration{did_you_mean(name, durations)}'
            ws.problems.add("unknown_field", wire.place.of("units").name(name), f"{path}.units", message)


def _check_list(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    known = attributes(resource)
    for at, sort in enumerate(wire.list.sort):
        name = sort.removeprefix("-")
        attribute = known.get(name)
        if attribute is None:
            _check_known(ws, known, name, wire.list.place.of("sort", at), f"{path}.list.sort")
            continue
        if why := order_fault(ws, attribute):
            place = wire.list.place.of("sort", at)
            ws.problems.add("not_sortable", place, f"{path}.list.sort", f'"{name}" {why}')
