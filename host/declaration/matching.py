"""Relations to many whose rows are told by a text instead of their keys, as tags are by their names."""

from __future__ import annotations

from host.declaration.keys import attributes
from host.declaration.nodes import Field, FieldRef, Match, Relation, Resource, Unique
from host.declaration.problems import did_you_mean
from host.declaration.workspace import Workspace


def matching_group(target: Resource, match: Match) -> Unique | None:
    """What makes a text tell one row over there: the unique group that it is in, first one without regard to case."""
    field = target.fields.get(match.field)
    groups = [*target.unique, *([Unique(fields=(FieldRef(match.field),))] if field and field.unique else [])]
    telling = [it for it in groups if match.field in it.fields and it.where is None and not it.unordered]
    return next((it for it in telling if match.field in it.lower), telling[0] if telling else None)


def check_match(ws: Workspace, resource: Resource, relation: Relation, path: str) -> None:
    """Note a `match` that does not tell one row."""
    match = relation.match
    if match is None or relation.to not in ws.resources:
        return
    place, path = relation.place.of("match"), f"{path}.match"
    if not relation.many or relation.by:
        ws.problems.add(
            "match", place, path, "`match` goes with a relation to many that has a table of its own"
        )
        return
    target = ws.resources[relation.to]
    field = target.fields.get(match.field)
    words = ws.vocabulary.types.get(field.type) if field is not None else None
    if field is None or (words is not None and not words.text) or field.column is None or field.secret:
        hint = did_you_mean(match.field, target.fields) if field is None else ""
        ws.problems.add("match", place, path, f'"{match.field}" is not a stored text of {relation.to}{hint}')
        return
    group = matching_group(target, match)
    if group is None:
        message = f'{relation.to} has no `unique` with "{match.field}", so that a text tells one row'
        ws.problems.add("match", place, path, message)
        return
    for name in group.fields:
        if name != match.field and not _is_shared(resource, target, name):
            message = f'"{match.field}" is unique for each "{name}", which has to be the same relation or field here'
            ws.problems.add("match", place, path, message)


def _is_shared(resource: Resource, target: Resource, name: str) -> bool:
    here, there = attributes(resource).get(name), attributes(target).get(name)
    if isinstance(here, Relation) and isinstance(there, Relation):
        return here.to == there.to and not here.many
    return (
        isinstance(here, Field) and isinstance(there, Field) and here.type == there.type and bool(here.column)
    )
