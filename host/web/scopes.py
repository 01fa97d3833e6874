"""The one guard that keeps an API key within its scopes: what no scope names is refused, on every surface.

It also looks at what a reading operation shows of other resources (`expand`). The host's own operations are closed to keys but
for those that say otherwise, so that a key can neither make keys nor change a password.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from host.auth.scopes import Target, allows
from host.compiler.wires import CompiledWire
from host.errors import InsufficientScope
from host.web.http import Request
from host.web.operations import Operation

ALSO: Final = {
    "bulk_create": "create", "bulk_update": "update", "bulk_delete": "delete", "export": "list",
    "history": "get", "download": "get", "link": "get", "upload": "update", "clear": "update",
    "pull": "list", "hash": "list", "events": "list",
}  # fmt: skip
"""Kinds of operations that a more general word names, too."""
PUBLIC_KINDS: Final = frozenset({"health"})


def guard_scopes(request: Request, operation: Operation) -> None:
    """Raise InsufficientScope for an operation that the key's scopes do not name."""
    scopes = request.actor.scopes
    if scopes is None or operation.kind in PUBLIC_KINDS:
        return
    target = target_of(operation)
    if target is None:
        raise InsufficientScope("no API key may do this; sign in")
    if not allows(scopes, target):
        raise InsufficientScope(f"the key has no scope for {said(target)}")
    for shown in _expanded(request, operation):
        if not allows(scopes, shown):
            raise InsufficientScope(f"the key has no scope to expand {shown.plugin}.{shown.noun}")


def target_of(operation: Operation) -> Target | None:
    """What scopes call an operation; None for those of the host that are closed to keys."""
    if operation.wire is not None:
        plugin, _, noun = operation.wire.model.name.partition(".")
        return Target(plugin, noun, _verbs(operation, _name(operation)))
    if operation.plugin != "host" and operation.kind != "identity":
        noun = operation.details.get("name") or operation.id
        return Target(operation.plugin, noun, _verbs(operation, "call"))
    named = operation.details.get("scope")
    return Target("host", named[0], _verbs(operation, named[1])) if named else None


def targets(operations: Iterable[Operation]) -> list[Target]:
    """Everything that a scope may name."""
    return [target for operation in operations if (target := target_of(operation)) is not None]


def said(target: Target) -> str:
    """A target as one would write its scope."""
    return f"{target.plugin}.{target.noun}:{min(target.verbs - {'read', 'write'}, default='read')}"


def _name(operation: Operation) -> str:
    return (
        str(operation.details.get("name") or operation.kind) if operation.kind == "action" else operation.kind
    )


def _verbs(operation: Operation, name: str) -> frozenset[str]:
    general = {ALSO[operation.kind]} if operation.kind in ALSO else set()
    return frozenset({name, *general, "read" if operation.method == "GET" else "write"})


def _expanded(request: Request, operation: Operation) -> Iterator[Target]:
    """The resources that `expand` puts into the answer."""
    if operation.wire is None or "expand" not in request.query:
        return
    for name, text in parse_qsl(request.query):
        if name == "expand":
            for word in text.split(","):
                yield from _related(operation.wire, word.strip())


def _related(wire: CompiledWire, outer: str) -> Iterator[Target]:
    inner = {shown: name for name, shown in wire.outer.items()}.get(outer, outer)
    relation = wire.model.declared.relations.get(inner)
    if relation is not None and relation.to:
        plugin, _, noun = str(relation.to).partition(".")
        yield Target(plugin, noun, frozenset({"get", "list", "read"}))
