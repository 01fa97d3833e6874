"""Relations: their targets, their inverse sides, what a deletion does, and what is aggregated over them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from host.declaration.account_tables import account_form
from host.declaration.keys import attributes
from host.declaration.matching import check_match
from host.declaration.nodes import Field, Name, Relation, Resource, ResourceRef, Rollup
from host.declaration.problems import Place, did_you_mean
from host.declaration.workspace import ACCOUNT, Workspace, owner_of, short

_ACCOUNT_KEYS: Final = ("id", "number", "hex")
_ONE_ONLY: Final = ("required", "on_delete", "same_owner", "same", "unique", "column", "was")


def link_targets(workspace: Workspace, name: str) -> None:
    """Qualify what the relations of a resource refer to; the first pass, so that the second can look both ways."""
    resource = workspace.resources[name]
    relations: dict[Name, Relation] = {}
    for key, relation in resource.relations.items():
        path = f"{short(name)}.relations.{key}" + (".to" if "to" in relation.place.keys else "")
        place = relation.place.of("to")
        found = None
        if relation.to == ACCOUNT and ACCOUNT not in workspace.resources:
            found = ACCOUNT  # declarations without the host's own, as in tests of the language
        elif relation.to:
            found = workspace.find_resource(relation.to, owner_of(name), place, path)
        form = account_form(workspace.resources, found or "", relation.by)
        relations[key] = replace(
            relation, to=ResourceRef(found or ""), account=None if relation.many else form
        )
    workspace.resources[name] = _owned_in_form(workspace, name, replace(resource, relations=relations))


def _owned_in_form(ws: Workspace, name: str, resource: Resource) -> Resource:
    """The mixin knows which form of the account's key its relation stores."""
    owned = resource.mixins.owned
    relation = resource.relations.get(owned.name) if owned else None
    if owned is None or relation is None:
        return resource
    if relation.account is None:
        if relation.to:
            message = "an owner is an account: `to` is `account`, or a resource with `identity`"
            ws.problems.add("identity", owned.place.of("to"), f"{short(name)}.mixins.owned", message)
        return resource
    return replace(resource, mixins=replace(resource.mixins, owned=replace(owned, by=relation.account)))


def link_relations(workspace: Workspace, name: str) -> None:
    """Check each relation against its target and fill in `by` and `through`."""
    resource = workspace.resources[name]
    relations = {
        key: _linked(workspace, resource, name, key, it) if it.to else it
        for key, it in resource.relations.items()
    }
    workspace.resources[name] = replace(resource, relations=relations)


def _linked(ws: Workspace, resource: Resource, name: str, key: str, relation: Relation) -> Relation:
    path = f"{short(name)}.relations.{key}"
    target = ws.resources.get(relation.to)
    if (
        target
        and isinstance(target.key, tuple)
        and len(target.key) > 1
        and not (relation.many and relation.by)
    ):
        message = f"{relation.to} has a composite key and cannot be referred to"
        ws.problems.add("unknown_relation", relation.place.of("to"), path, message)
    check_match(ws, resource, relation, path)
    if relation.many:
        _check_many(ws, relation, path)
        return _many(ws, resource, name, key, relation, path)
    _check_one(ws, resource, relation, target, path)
    return replace(relation, by=relation.by or (Name("id") if relation.to == ACCOUNT else None))


def _check_one(
    ws: Workspace, resource: Resource, relation: Relation, target: Resource | None, path: str
) -> None:
    if relation.on_delete == "set_null" and relation.required:
        place = relation.place.of("on_delete")
        ws.problems.add("on_delete", place, path, "`set_null` and `required` exclude each other")
    if relation.same_owner and not (resource.mixins.owned and target and target.mixins.owned):
        place = relation.place.of("same_owner")
        ws.problems.add("same_owner", place, path, "`same_owner` needs the mixin `owned` on both sides")
    for at, shared in enumerate(relation.same):
        _check_same(ws, resource, target, shared, relation.place.of("same").of(at), path)
    if relation.by and (relation.to != ACCOUNT or relation.by not in _ACCOUNT_KEYS):
        message = "`by` goes with `many`; to an account it is id, number or hex"
        ws.problems.add("inverse", relation.place.of("by"), path, message)
    if relation.through:
        message = "`through` is the table of a relation to many: add `many: true`"
        ws.problems.add("conflict", relation.place.name("through"), path, message)


def _check_same(
    ws: Workspace, resource: Resource, target: Resource | None, name: str, place: Place, path: str
) -> None:
    here = attributes(resource).get(name)
    there = attributes(target).get(name) if target else here
    stored = [it for it in (here, there) if it is not None and it.column is not None]
    if len(stored) == 2 and type(here) is type(there):
        ends = [it.to if isinstance(it, Relation) else it.type for it in stored]
        if ends[0] == ends[1]:
            return
    message = f'"{name}" has to be a stored field of one type, or a relation to the same rows, on both sides'
    ws.problems.add("same_owner", place, f"{path}.same", message)


def _check_many(ws: Workspace, relation: Relation, path: str) -> None:
    for key in _ONE_ONLY:
        if key in relation.place.keys:
            message = f"`{key}` has no meaning with `many`: the rows over there decide"
            ws.problems.add("conflict", relation.place.name(key), path, message)
    if relation.by and relation.through:
        message = "`by` and `through` exclude each other"
        ws.problems.add("conflict", relation.place.name("through"), path, message)


def _many(ws: Workspace, resource: Resource, name: str, key: str, relation: Relation, path: str) -> Relation:
    if relation.by is None:
        return replace(relation, through=relation.through or f"{resource.table}_{key}")
    target = ws.resources.get(relation.to)
    inverse = target.relations.get(relation.by) if target and relation.by else None
    if inverse is None or inverse.many or inverse.to != name:
        known = (
            [it for it, back in target.relations.items() if not back.many and back.to == name]
            if target
            else []
        )
        message = (
            f'{relation.to} has no relation "{relation.by}" to {name}{did_you_mean(relation.by or "", known)}'
        )
        ws.problems.add("inverse", relation.place.of("by"), path, message)
    return relation


def check_rollups(workspace: Workspace, name: str) -> None:
    """Check what the fields of a resource aggregate over its relations to many."""
    resource = workspace.resources[name]
    for key, field in resource.fields.items():
        if field.rollup and field.rollup.over and field.type:
            _check_rollup(workspace, resource, field, field.rollup, f"{short(name)}.fields.{key}.rollup")


def _check_rollup(ws: Workspace, resource: Resource, field: Field, rollup: Rollup, path: str) -> None:
    def refuse(message: str) -> None:
        ws.problems.add("rollup", rollup.place.of("over"), path, message)

    if rollup.less and rollup.function != "sum":
        ws.problems.add("rollup", rollup.place.name("less"), f"{path}.less", "only a sum takes away")
    first, _, inner = rollup.over.partition(".")
    relation = resource.relations.get(Name(first))
    if relation is None or not relation.many:
        known = [name for name, it in resource.relations.items() if it.many]
        refuse(f'"{first}" is not a relation to many rows{did_you_mean(first, known)}')
        return
    if rollup.function == "count":
        if inner or field.type != "integer":
            refuse("a count is an integer over the relation alone")
        return
    target = ws.resources.get(relation.to)
    summed = attributes(target).get(inner) if target else None
    if target is None:
        return
    if not inner or not isinstance(summed, Field):
        refuse(f'{rollup.function} needs a field of {relation.to}: "{first}.field"')
        return
    _check_rollup_type(ws, field, rollup, summed, path)


def _check_rollup_type(ws: Workspace, field: Field, rollup: Rollup, summed: Field, path: str) -> None:
    words = ws.vocabulary.types.get(summed.type)
    if summed.computed or summed.rollup or summed.transient or summed.secret or words is None:
        message = f'"{rollup.over}" is not stored, or secret'
    elif rollup.function == "sum" and not words.numeric and summed.type != "duration":
        message = f'"{rollup.over}" is a {summed.type} and cannot be summed'
    elif not words.ordered:
        message = f'"{rollup.over}" is a {summed.type} and has no order'
    elif field.type != summed.type:
        message = f'the {rollup.function} of "{rollup.over}" is of type {summed.type}, not {field.type}'
    else:
        return
    ws.problems.add("rollup", rollup.place.of("over"), path, message)
