"""Parents: the `{parameter}`s of a collection's path, each of which names a required relation to one row and fixes it.

`{investigation}` fixes the row's own relation, `{entity.investigation}` that of the row it leads to. The wires check them
with this, `paths` and the compiler read them.
"""

from __future__ import annotations

import re
from typing import Final

from host.declaration.keys import attributes
from host.declaration.nodes import Name, Relation, Resource, Wire
from host.declaration.problems import Place, did_you_mean
from host.declaration.workspace import Workspace

Steps = tuple[str, ...]
_PARAMETER: Final = re.compile(r"\{([a-z0-9_.]+)\}")


def parents_of(path: str) -> tuple[Steps, ...]:
    """The relations that a collection's path fixes, as paths from its rows, in the order of the path."""
    return tuple(tuple(name.split(".")) for name in _PARAMETER.findall(path))


def parameter_of(steps: Steps) -> str:
    """The name of a parent's parameter in served paths: `entity_investigation`."""
    return "_".join(steps)


def served(path: str) -> str:
    """A path as it is served and documented: dots of parameters are spelled as `_`."""
    return _PARAMETER.sub(lambda found: found[0].replace(".", "_"), path)


def check_parents(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    """Note parameters of a wire's collection that are no relations, or that further paths do not have."""
    own = _collection(resource, wire)
    place = wire.place.of("path") if "path" in wire.place.keys else resource.place.of("path")
    for steps in parents_of(own):
        _check_steps(ws, resource, steps, place, f"{path}.path")
    others = [(it, wire.place.of("paths", at), "paths") for at, it in enumerate(wire.paths)]
    others += [(wire.item, wire.place.of("item"), "item")] if wire.item else []
    for other, there, key in others:
        _check_other(ws, resource, wire, str(other), there, f"{path}.{key}")
    if wire.by:
        _check_by(ws, resource, wire, path)


def _check_steps(ws: Workspace, resource: Resource, steps: Steps, place: Place, path: str) -> None:
    for at, step in enumerate(steps):
        relation = resource.relations.get(Name(step))
        spelled = "{" + ".".join(steps) + "}"
        if relation is None:
            message = (
                f'{spelled} fixes a relation, and there is no "{step}"{did_you_mean(step, _ones(resource))}'
            )
            ws.problems.add("unknown_relation", place, path, message)
            return
        if relation.many or not relation.required:
            why = "leads to many rows" if relation.many else "is not `required`"
            message = f'{spelled} fixes a relation to one row, and "{step}" {why}'
            ws.problems.add("path_parameter", place, path, message)
            return
        if relation.to not in ws.resources or at == len(steps) - 1:
            return
        resource = ws.resources[relation.to]


def _check_other(ws: Workspace, resource: Resource, wire: Wire, other: str, place: Place, path: str) -> None:
    wanted = {parameter_of(it) for it in parents_of(_collection(resource, wire))}
    if path.endswith(".item"):
        wanted |= set(row_parameters(resource, wire))
    found = [parameter_of(it) for it in parents_of(other)]
    if sorted(found) != sorted(wanted):
        names = ", ".join(f"{{{it}}}" for it in sorted(wanted)) or "no parameters"
        ws.problems.add("path_parameter", place, path, f"this path has to have {names}, as the wire's `path`")


def _check_by(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    place, by = wire.place.of("by"), str(wire.by)
    known = attributes(resource)
    if by not in known:
        message = f'there is no field "{by}"{did_you_mean(by, known)}'
        ws.problems.add("unknown_field", place, f"{path}.by", message)
        return
    told = {by, *_fixed(resource, wire)}
    single = known[by].unique
    if not single and not any(set(it.fields) <= told and not it.where for it in resource.unique):
        wanted = ", ".join([*sorted(told - {by}), by])
        message = f'"{by}" has to tell one row: declare `unique: [[{wanted}]]`'
        ws.problems.add("not_unique", place, f"{path}.by", message)


def _collection(resource: Resource, wire: Wire) -> str:
    return str(wire.path or resource.path)


def _fixed(resource: Resource, wire: Wire) -> set[str]:
    return {parameter_of(it) for it in parents_of(_collection(resource, wire)) if len(it) == 1}


def row_parameters(resource: Resource, wire: Wire) -> tuple[str, ...]:
    """The parameters that tell a row below a wire's collection: its key, without what the collection's path fixes."""
    if wire.by is not None:
        return (str(wire.by),)
    fixed = _fixed(resource, wire)
    keys = resource.key if isinstance(resource.key, tuple) else ("id",)
    return tuple(str(key) for key in keys if key not in fixed)


def _ones(resource: Resource) -> list[str]:
    return [str(name) for name, it in resource.relations.items() if isinstance(it, Relation) and not it.many]
