"""Related rows that a wire always answers inside its own: what is shown of them exists and is for everyone to see."""

from __future__ import annotations

from collections.abc import Mapping

from host.declaration.files import is_file
from host.declaration.keys import attributes
from host.declaration.nodes import Field, Name, Relation, Resource, Wire, WireEmbed
from host.declaration.problems import Place, did_you_mean
from host.declaration.queries import order_fault
from host.declaration.workspace import Workspace


def embedded_relation(key: str, node: WireEmbed) -> str:
    """The relation whose rows stand under a key."""
    return node.relation or key


def shown_key(reference: str, node: WireEmbed) -> str:
    """The outer name of a shown field; of a dotted one the last step, if no other is given."""
    return node.names.get(reference, reference.rpartition(".")[2])


def replaced(wire: Wire, outer: Mapping[str, str]) -> frozenset[str]:
    """The relations whose own output gives way, because rows stand under their name."""
    pairs = ((key, embedded_relation(key, node)) for key, node in wire.embed.items())
    return frozenset(relation for key, relation in pairs if outer.get(relation) == key)


def check_embeds(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    """Note embedded relations and shown fields that are not there."""
    for key, node in wire.embed.items():
        place = wire.place.of("embed").name(key) if node.relation is None else node.place.of("relation")
        name = embedded_relation(key, node)
        relation = resource.relations.get(Name(name))
        if relation is None:
            message = f'there is no relation "{name}"{did_you_mean(name, resource.relations)}'
            ws.problems.add("unknown_relation", place, f"{path}.embed.{key}", message)
        elif relation.to in ws.resources:
            _check_shown(ws, relation, node, f"{path}.embed.{key}")


def _check_shown(ws: Workspace, relation: Relation, node: WireEmbed, path: str) -> None:
    target = ws.resources[relation.to]
    taken: set[str] = set()
    for at, reference in enumerate(node.show):
        place = node.place.of("show").of(at)
        _check_field(ws, target, relation.to, reference, place, path)
        outer = shown_key(reference, node)
        if outer in taken:
            ws.problems.add(
                "outer_name", place, path, f'the outer name "{outer}" is taken: give it another in `names`'
            )
        taken.add(outer)
    for reference in node.names:
        if reference not in node.show:
            message = f'"{reference}" is not shown{did_you_mean(reference, node.show)}'
            ws.problems.add("unknown_field", node.place.of("names").name(reference), path, message)
    known = attributes(target)
    for at, sort in enumerate(node.sort):
        attribute = known.get(sort.removeprefix("-"))
        if attribute is None or order_fault(ws, attribute):
            message = f'{relation.to} cannot be sorted by "{sort.removeprefix("-")}"'
            ws.problems.add("not_sortable", node.place.of("sort", at), path, message)


def _check_field(ws: Workspace, target: Resource, name: str, reference: str, place: Place, path: str) -> None:
    *steps, last = reference.split(".")
    for step in steps:
        relation = target.relations.get(Name(step))
        if relation is None or relation.many or relation.to not in ws.resources:
            message = f'{name} has no relation "{step}" to one row{did_you_mean(step, target.relations)}'
            ws.problems.add("unknown_relation", place, path, message)
            return
        name, target = relation.to, ws.resources[relation.to]
    known = attributes(target)
    field = known.get(last)
    if field is None or (isinstance(field, Relation) and field.many):
        message = f'{name} has no field "{last}"{did_you_mean(last, known)}'
        ws.problems.add("unknown_field", place, path, message)
    elif isinstance(field, Field) and (field.secret or field.transient or (steps and field.read)):
        ws.problems.add("unknown_field", place, path, f'"{last}" of {name} is not for everyone to see')
    elif isinstance(field, Field) and is_file(ws, field):
        ws.problems.add(
            "unknown_field", place, path, f'"{last}" of {name} is a file, which its own rows show'
        )
