"""What a site's declarations grant: every operation, field, action, endpoint and wire with the rules that guard it.

`changes` compares the grants of two versions. A grant that one of them lacks is closed there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from host.declaration.nodes import Action, AnyOf, Declaration, Field, Relation, Resource, Wire
from host.declaration.scopes import Scope

_PARAMETER = re.compile(r"\{([\w.]+)\}")
GUARDS = {
    "list": "list", "get": "get", "create": "create", "update": "update", "delete": "delete", "export": "list",
    "import": "create", "history": "get",
}  # fmt: skip
_WRITES = ("create", "update", "delete")


@dataclass(frozen=True)
class Guard:
    """One rule that has to hold, and where it stands."""

    rule: AnyOf
    scope: Scope


@dataclass(frozen=True)
class Grant:
    """What may be done under guards that all have to hold. `terms` is what cannot be compared but has to be the same."""

    guards: tuple[Guard, ...]
    shown: str  # its own rule as it is written
    terms: tuple[str, ...] = ()


Key = tuple[str, str]  # the resource or endpoint, and what of it
Grants = Mapping[Key, Grant]


def grants(declaration: Declaration) -> dict[Key, Grant]:
    """Every grant of a linked declaration."""
    found: dict[Key, Grant] = {}
    for name, resource in declaration.resources.items():
        found.update(_resource(declaration, name, resource))
    for name, endpoint in declaration.endpoints.items():
        scope = Scope(name.partition(".")[0])
        rule = endpoint.access or (("public",) if endpoint.identity else ())  # signing in is for everybody
        terms = (str(endpoint.identity or ""), repr(endpoint.credential), f"cookies {endpoint.cookies}")
        found[name, "endpoint"] = Grant((Guard(rule, scope),), _text(rule), terms)
    return found


def _resource(declaration: Declaration, name: str, resource: Resource) -> Iterator[tuple[Key, Grant]]:
    scope = Scope(name.partition(".")[0], name)
    visible = _guard(resource, "get", scope)
    for operation in resource.operations:
        if operation in GUARDS:
            yield (name, operation), _operation(resource, GUARDS[operation], scope, visible)
        else:
            for write in [it for it in _WRITES if operation == "bulk" and it in resource.operations]:
                yield (name, f"bulk {write}"), _operation(resource, write, scope, visible)
    for key, action in resource.actions.items():
        yield (name, f"action {key}"), _action(action, scope, visible)
    if resource.sync is not None:
        yield (name, "sync push"), _operation(resource, "create", scope, visible)
        yield (name, "sync pull"), _operation(resource, "list", scope, visible)
    attributes: list[tuple[str, Field | Relation]] = [*resource.fields.items(), *resource.relations.items()]
    for field_name, node in attributes:
        yield from _attribute(name, field_name, node, scope)
    for wire_name, wire in (resource.wires or {}).items():
        yield from _wire(name, wire_name, wire, resource, scope)


def _guard(resource: Resource, operation: str, scope: Scope) -> Guard:
    rule: AnyOf = getattr(resource.access, operation) if resource.access is not None else ()
    return Guard(rule, scope)


def _operation(resource: Resource, operation: str, scope: Scope, visible: Guard) -> Grant:
    own = _guard(resource, operation, scope)
    guards = (own, visible) if operation in ("update", "delete") else (own,)
    deleted = resource.mixins.soft_delete
    gone = (f"rows with {deleted.name} are gone",) if deleted is not None and operation != "create" else ()
    return Grant(guards, _text(own.rule), gone)


def _action(action: Action, scope: Scope, visible: Guard) -> Grant:
    if action.target == "item":
        return Grant((Guard(action.access, scope), visible), _text(action.access))
    return Grant((Guard(action.access, Scope(scope.plugin)),), _text(action.access))


def _attribute(name: str, key: str, node: Field | Relation, scope: Scope) -> Iterator[tuple[Key, Grant]]:
    """Reading and writing a field, beyond what its row allows."""
    is_secret = isinstance(node, Field) and (node.secret or node.transient)
    own = Scope(getattr(node, "extends", None) or scope.plugin, scope.resource)
    if not is_secret and not (isinstance(node, Relation) and node.many and node.by is not None):
        links = (f"links {node.links}",) if isinstance(node, Field) and node.type in ("file", "image") else ()
        yield (name, f"field {key} read"), replace(_ruled(node.read, own), terms=links)
    is_made = isinstance(node, Field) and (node.computed is not None or node.rollup is not None)
    if (
        node.set != "server"
        and not is_made
        and not (isinstance(node, Relation) and node.many and node.by is not None)
    ):
        if node.set != "once":
            yield (name, f"field {key} update"), _ruled(node.write, own)
        yield (name, f"field {key} create"), _ruled(node.write, own)
    if isinstance(node, Relation) and not node.many and not node.same_owner:
        yield (name, f"relation {key} to rows of other owners"), _ruled((), own)


def _ruled(rule: AnyOf, scope: Scope) -> Grant:
    return Grant((Guard(rule or ("public",), scope),), _text(rule) if rule else "whoever has the row")


def _wire(
    name: str, wire_name: str, wire: Wire, resource: Resource, scope: Scope
) -> Iterator[tuple[Key, Grant]]:
    """What a wire serves and shows, under the rules of the resource; its paths fix what it serves."""
    served = wire.operations or (*resource.operations, *resource.actions)
    paths = sorted(
        {it for path in (wire.path or resource.path or "", *wire.paths) for it in _PARAMETER.findall(path)}
    )
    terms = (f"below {', '.join(paths)}" if paths else "", repr(getattr(wire, "credential", None)))
    for operation in served:
        action = resource.actions.get(operation)
        guarded = (
            action.access
            if action is not None
            else _guard(resource, GUARDS.get(operation, "list"), scope).rule
        )
        is_collection = action is not None and action.target == "collection"
        where = Scope(scope.plugin) if is_collection else scope
        yield (name, f"wire {wire_name}: {operation}"), Grant((Guard(guarded, where),), _text(guarded), terms)
    visible = _guard(resource, "get", scope)
    shown = {str(key) for key in (*resource.fields, *resource.relations)} - {str(key) for key in wire.hide}
    for field_name in sorted(shown):
        node = resource.fields.get(field_name) or resource.relations[field_name]
        if not (isinstance(node, Field) and node.secret):
            guards = (visible, Guard(node.read or ("public",), scope))
            yield (name, f"wire {wire_name}: field {field_name}"), Grant(guards, _text(visible.rule))
    others: list[tuple[str, object]] = [*wire.through.items(), *wire.embed.items()]
    for key, value in others:
        yield (name, f"wire {wire_name}: field {key}"), Grant((visible,), _text(visible.rule), (repr(value),))


def _text(rule: AnyOf) -> str:
    return " or ".join(f"({it})" if len(rule) > 1 and " or " in it else it for it in rule) or "nobody"
