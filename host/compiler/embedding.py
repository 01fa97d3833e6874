"""Rows that a wire answers inside its own: a related one is joined, several are a key that `query.embedding` fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.compiler.expressions import Scope, any_of, referred, terminal
from host.compiler.readers import Nested, Output, attribute_output, guarded, path_output, readable
from host.declaration.embeds import embedded_relation, shown_key
from host.declaration.nodes import Field, Relation, TypeRef, WireEmbed

if TYPE_CHECKING:
    from host.compiler.wires import CompiledWire


def embedded_outputs(wire: CompiledWire, scope: Scope) -> list[Output]:
    """The outputs of everything that the wire embeds, under the `read` rules of the relations."""
    relations: Mapping[str, Relation] = wire.model.declared.relations
    found = (
        guarded(relations[embedded_relation(key, node)].read, scope, _embedded(wire, key, node, scope))
        for key, node in wire.declared.embed.items()
    )
    return [output for output in found if output is not None]


def _embedded(wire: CompiledWire, key: str, node: WireEmbed, scope: Scope) -> Output:
    name = embedded_relation(key, node)
    link = wire.model.links.get(name)
    attribute = wire.model.attributes.get(name)
    if attribute is not None and attribute.relation is not None:
        return _one(wire, key, node, scope)
    assert link is not None  # the linker checked it
    target = Scope(scope.models[link.target], scope.models)
    of = Field(type=TypeRef("object"), fields=_fields(node, target))
    field = Field(type=TypeRef("list"), of=of, nullable=False)
    here = scope.column(wire.model.keys[0].name)
    return Output(key, field, here, is_nullable=False, is_filled=True)


def _one(wire: CompiledWire, key: str, node: WireEmbed, scope: Scope) -> Output:
    attribute = wire.model.attributes[embedded_relation(key, node)]
    assert attribute.relation is not None
    inner = scope.beyond(attribute.name, scope.models[attribute.relation.to])
    inner = replace(inner, plugin=inner.model.plugin if inner.model is not None else "")
    here = referred(attribute, inner)
    joined = sa.and_(here == scope.column(attribute.name), *seen(inner))
    nested = Nested(tuple(shown_outputs(wire, node, inner)), inner.source, joined)
    field = Field(type=TypeRef("object"), fields=_fields(node, inner), nullable=True)
    is_nullable = attribute.is_nullable or not isinstance(seen_rule(inner), bool)
    return Output(key, field, here, is_nullable=is_nullable, nested=nested)


def shown_outputs(wire: CompiledWire, node: WireEmbed, scope: Scope) -> list[Output]:
    """What is shown of a related row, under the `read` rules of its fields."""
    assert scope.model is not None
    found: list[Output | None] = []
    for reference in node.show:
        key = shown_key(reference, node)
        attribute = terminal(tuple(reference.split(".")), scope)
        assert attribute is not None  # the linker resolved the path
        if "." in reference:
            found.append(path_output(key, reference, attribute.field, scope))
        else:
            found.append(readable(attribute, scope, attribute_output(attribute, scope, key)))
    return [output for output in found if output is not None]


def seen(scope: Scope) -> list[Any]:
    """The conditions of rows that the `get` rule of their resource shows to this actor."""
    assert scope.model is not None
    rule = seen_rule(scope)
    conditions = [] if rule is True else [sa.false() if rule is False else rule]
    deleted = scope.model.deleted
    return conditions if deleted is None else [*conditions, scope.column(deleted.name).is_(None)]


def seen_rule(scope: Scope) -> Any:
    """The `get` rule over a row as SQL; True or False where it is decided."""
    assert scope.model is not None
    access = scope.model.declared.access
    if scope.facts.is_system:
        return True
    return any_of(access.get, scope) if access is not None and access.get else False


def _fields(node: WireEmbed, scope: Scope) -> dict[Any, Field]:
    """The description of a shown row, for the documents."""
    found = {}
    for reference in node.show:
        attribute = terminal(tuple(reference.split(".")), scope)
        assert attribute is not None
        nullable = attribute.is_nullable or "." in reference
        found[shown_key(reference, node)] = replace(
            attribute.field, nullable=nullable, required=not attribute.field.read, default=None
        )
    return found
