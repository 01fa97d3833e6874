"""Where rows of nested resources lie: the parents that a path names, and the paths of collections and rows below them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from host.actor import SYSTEM, Actor
from host.compiler.models import Attribute, Model
from host.compiler.parents import Parent
from host.compiler.wires import CompiledWire
from host.testing.sites import Site
from host.web.placing import filled

Refer = Callable[[Model, Attribute, Actor], Any]


@dataclass(eq=False)
class Placement:
    """The parents of each owner: one row for each resource that others lie below. `refer` makes them."""

    site: Site
    refer: Refer
    _made: dict[tuple[str, Any], Any] = field(default_factory=dict)

    def relations(self, wire: CompiledWire, owner: Actor) -> dict[str, Any]:
        """What the rows below a wire's path refer to, by their own relations."""
        return {parent.steps[0]: self._parent(wire.model, parent, owner) for parent in wire.parents}

    def below(self, wire: CompiledWire, path: str, owner: Actor) -> str:
        """A path of a wire below the owner's parents; what tells a row in it stays open."""
        row = self.relations(wire, owner)
        return filled(path, {it.parameter: self._followed(wire, row, it) for it in wire.parents})

    def item(self, wire: CompiledWire, path: str, keys: tuple[Any, ...]) -> str:
        """A path about a row, with what the stored row says of itself and of its parents."""
        row = self._native(wire.model, keys)
        params = {it.parameter: self._followed(wire, row, it) for it in wire.parents}
        return filled(path, {**row, **params})

    def _parent(self, model: Model, parent: Parent, owner: Actor) -> Any:
        attribute = model.attributes[parent.steps[0]]
        assert attribute.relation is not None  # a parent is one
        place = (attribute.relation.to, owner.id)
        if place not in self._made:
            self._made[place] = self.refer(model, attribute, owner)
        return self._made[place]

    def _followed(self, wire: CompiledWire, row: dict[str, Any], parent: Parent) -> Any:
        model, value = wire.model, row[parent.steps[0]]
        for step, further in zip(parent.steps, parent.steps[1:], strict=False):
            relation = model.attributes[step].relation
            assert relation is not None  # the linker checked it
            model = self.site.runtime.registry.models[relation.to]
            value = self._native(model, (value,))[further]
        return value

    def _native(self, model: Model, keys: tuple[Any, ...]) -> dict[str, Any]:
        with self.site.runtime.reading(SYSTEM, plugin=model.plugin) as ctx:
            return ctx.records(model.name).get(*keys)
