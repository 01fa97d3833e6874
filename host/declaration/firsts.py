"""What relations to many declare as their first row: every value of it is known, and none that it needs is missing."""

from __future__ import annotations

from host.declaration import values
from host.declaration.keys import attributes
from host.declaration.nodes import Field, First, Relation, Resource
from host.declaration.problems import did_you_mean
from host.declaration.workspace import Workspace, short

_CONSTANT = ("string", "text", "enum", "integer", "boolean")


def check_firsts(workspace: Workspace, name: str) -> None:
    """Check the first rows that the relations of a resource declare. Both sides have been linked."""
    resource = workspace.resources[name]
    for key, relation in resource.relations.items():
        target = workspace.resources.get(relation.to)
        if relation.first is not None and target is not None:
            _check(
                workspace, resource, target, relation, relation.first, f"{short(name)}.relations.{key}.first"
            )


def _check(
    ws: Workspace, here: Resource, there: Resource, relation: Relation, first: First, path: str
) -> None:
    if not relation.many or relation.by is None:
        message = "only rows over there that point back (`many` with `by`) can be made together with this one"
        ws.problems.add("first", first.place, path, message)
        return
    known = attributes(there)
    for key, source in first.copy.items():
        place = first.place.of("copy", key)
        if key not in known:
            ws.problems.add("first", place, path, f'{relation.to} has no "{key}"{did_you_mean(key, known)}')
        elif source not in attributes(here):
            ws.problems.add(
                "first", place, path, f'unknown field "{source}"{did_you_mean(source, attributes(here))}'
            )
    for key, value in first.values.items():
        if fault := _fault(relation, known.get(key), value):
            ws.problems.add("first", first.place.of("values", key), path, f"{key} {fault}")
    given = {*first.copy, *first.values, relation.by}
    if missing := [key for key, it in known.items() if _is_wanted(it) and key not in given]:
        ws.problems.add(
            "first", first.place, path, f"give {', '.join(missing)}, which {relation.to} requires"
        )


def _fault(relation: Relation, attribute: Field | Relation | None, value: object) -> str | None:
    if not isinstance(attribute, Field):
        return f"is not a field of {relation.to}"
    if attribute.type not in _CONSTANT:
        return f"is a {attribute.type}, of which there are no constants here"
    why = values.fault(attribute, value)
    return f"can never be {values.shown(value)}, which {why}" if why else None


def _is_wanted(attribute: Field | Relation) -> bool:
    return attribute.required and attribute.set != "server"
