"""What becomes of each field of a resource for an actor: whether it is shown, whether it is taken, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from host.access.policy import Policy
from host.compiler.expressions import Facts, Scope, Sql, any_of
from host.compiler.models import Model
from host.declaration.nodes import AnyOf, Field, Relation

BY_RULE = "its rule is"
READING = ("list", "get", "search", "count", "export", "expand", "history")


@dataclass(frozen=True)
class Property:
    """A field or relation; `readable` and `writable` are True, False, or SQL about the row until they are settled."""

    name: str
    readable: Sql
    writable: Sql
    hidden: str | None = None  # why it is not shown, where a rule or the kind of the field says so
    refused: str | None = None  # why it is not taken

    def settled(self, readable: bool, writable: bool) -> Property:
        """With both decided on a row; a reason that does not apply is dropped."""
        return replace(
            self, readable=readable, writable=writable,
            hidden=None if readable else self.hidden, refused=None if writable else self.refused,
        )  # fmt: skip


def properties(model: Model, policy: Policy, facts: Facts, operation: str) -> tuple[Property, ...]:
    """Every field of the resource; whether it is taken is about `create` or any other operation on a row."""
    scope = policy.scope(model, facts)
    return tuple(_property(name, node, scope, operation) for name, node in _nodes(model))


def _nodes(model: Model) -> Iterator[tuple[str, Field | Relation]]:
    for key in model.keys:
        if key.name not in model.declared.fields and key.name not in model.declared.relations:
            yield key.name, key.field
    yield from model.declared.fields.items()
    yield from model.declared.relations.items()


def _property(name: str, node: Field | Relation, scope: Scope, operation: str) -> Property:
    readable, hidden = _reading(node, scope)
    writable, refused = _writing(name, node, scope, operation)
    return Property(
        name, readable, writable,
        hidden if decided(readable) is not True else None, refused if decided(writable) is not True else None,
    )  # fmt: skip


def _reading(node: Field | Relation, scope: Scope) -> tuple[Sql, str | None]:
    if isinstance(node, Field) and node.secret:
        return False, "it is a secret"
    if isinstance(node, Field) and node.transient:
        return False, "it is never stored"
    if isinstance(node, Relation) and node.many and node.by is not None:
        return False, "it is other rows, which have rules of their own"
    return _ruled(node.read, scope)


def _writing(name: str, node: Field | Relation, scope: Scope, operation: str) -> tuple[Sql, str | None]:
    if (fixed := _fixed(name, node, scope, operation)) is not None:
        return False, fixed
    return _ruled(node.write, scope)


def _fixed(name: str, node: Field | Relation, scope: Scope, operation: str) -> str | None:
    """Why nobody can send it, whoever asks."""
    model = scope.model
    mixed = model is not None and name in {
        it.name for it in (model.owner, model.version, model.deleted) if it
    }
    if isinstance(node, Field) and (node.computed is not None or node.rollup is not None):
        return "it is computed"
    if isinstance(node, Relation) and node.many and node.by is not None:
        return "it is other rows, which have rules of their own"
    if node.set == "server" or mixed:
        return "only the server sets it"
    is_key = model is not None and name in {key.name for key in model.keys}
    if operation != "create" and operation not in READING and (node.set == "once" or is_key):
        return "it is set once, on create"
    return None


def _ruled(rule: AnyOf, scope: Scope) -> tuple[Sql, str | None]:
    if not rule or scope.facts.is_system:
        return True, None
    return any_of(rule, scope), f"{BY_RULE} {' or '.join(rule)}"


def decided(condition: Any) -> bool | None:
    """A condition as it is decided without a row; None where the row counts."""
    return condition if isinstance(condition, bool) else None
