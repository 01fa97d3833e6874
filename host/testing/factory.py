"""Valid input for any resource, made of the examples that the document shows: what conformance tests store and send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Literal

import sqlalchemy as sa

from host.actor import SYSTEM, Actor
from host.compiler.models import ACCOUNT, Attribute, Model
from host.compiler.schemas import writable
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.fields.kinds import longest
from host.service import writing
from host.testing.contents import uploaded, wanted_files
from host.testing.placement import Placement
from host.testing.sites import Site
from host.web.openapi.examples import example_of
from host.web.openapi.styles import Style

Row = dict[str, Any]
TEXTS = ("string", "text", "email", "url")


@dataclass(eq=False, repr=False)
class Factory:
    """Makes rows of one site. `samples` are values that declared examples cannot tell, by resource and field."""

    site: Site
    samples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def body(self, wire: CompiledWire, owner: Actor, *, only: str = "create") -> Row:
        """A body that create takes from this actor, under outer names."""
        found: Row = {}
        for name, node in writable(wire, updating=only != "create").items():
            value = self.value(wire, name, node, owner)
            if value is not None:
                found[wire.outer.get(name, name)] = value
        return found

    def value(self, wire: CompiledWire, name: str, node: Any, owner: Actor) -> Any:
        """A value of one field, another one each time where it has to be unique; None to leave it out."""
        samples = self.samples.get(wire.model.name, {})
        if name in samples:
            return samples[name]
        placed = self.placement.relations(wire, owner)
        if name in placed:
            return placed[name]
        if isinstance(node, Attribute) and node.relation is not None:
            return self._referred(wire.model, node, owner)
        declared = node.field if isinstance(node, Attribute) else node
        if not isinstance(declared, Field) or declared.write:
            return None  # linked keys, and what only some may set
        value = example_of(declared, self.site.runtime.registry.kinds, self.style(wire, name))
        return self._another(wire.model, name, declared, value)

    def style(self, wire: CompiledWire, name: str) -> Style:
        """How the wire takes the field's values."""
        made = self.site.runtime.registry.schemas.create(wire).fields.get(name)
        values = made.metadata["values"] if made is not None else wire.declared.values
        return Style.taken(values, wire.declared.unknown)

    def stored(self, wire: CompiledWire, owner: Actor, body: Row | None = None) -> tuple[Any, ...]:
        """The key of a new row that belongs to the owner, stored by the system."""
        model, registry = wire.model, self.site.runtime.registry
        account = _account_form(model)
        if account is not None:
            return (owner.key(account),)
        if model.declared.log is not None:
            return (self._event(model, owner),)
        main = registry.main_wire(model)
        given = {**(body if body is not None else self.body(main, owner)), **self._files(main)}
        values = registry.schemas.load(registry.schemas.create(main), given)
        values |= {**self.placement.relations(main, owner), **self.placement.relations(wire, owner)}
        values |= self._set_by_server(model, values)
        with self.site.runtime.writing(SYSTEM, plugin=model.plugin) as ctx:
            if model.owner is not None and model.declared.mixins.owned is not None:
                values[model.owner.name] = owner.key(model.declared.mixins.owned.by)
            return writing.create(ctx, model, values).keys

    def _event(self, log: Model, owner: Actor) -> Any:
        """The key of the event that a new row of the owner's has added to a log."""
        logs = self.site.runtime.logs
        self.stored(logs.made_of(logs.logs[log.name])[0].wire, owner)
        key, mixin = log.keys[0].column, log.declared.mixins.owned
        theirs = log.owner.column if log.owner is not None else None
        assert key is not None and mixin is not None and theirs is not None
        latest = sa.select(sa.func.max(key)).where(theirs == owner.key(mixin.by))
        with self.site.runtime.reading(SYSTEM) as ctx:
            return ctx.execute(latest).scalar_one()

    def _set_by_server(self, model: Model, given: Row) -> Row:
        """Required values that only the server sets, and that neither a mixin nor the declaration fills in."""
        stamped, kinds = model.declared.mixins.stamped, self.site.runtime.registry.kinds
        filled = {stamped.created, stamped.updated} if stamped is not None else set()
        wanted = {
            name: node
            for name, node in model.declared.fields.items()
            if node.required and node.set == "server" and node.default is None and name not in filled
        }
        return {
            name: kinds[node.type].parse(str(example_of(node, kinds, Style(False))), node)
            for name, node in wanted.items()
            if name not in given and node.counter is None and node.random is None and node.mirror is None
        }

    def _files(self, wire: CompiledWire) -> Row:
        """Stored files for the fields that cannot do without."""
        files = self.site.runtime.files
        wanted = wanted_files(wire) if files is not None else {}
        return {outer: uploaded(files, attribute) for outer, attribute in wanted.items() if files is not None}

    def path(self, wire: CompiledWire, keys: tuple[Any, ...]) -> str:
        """The path of a row."""
        return self.placement.item(wire, wire.places.items[0], keys)

    @cached_property
    def placement(self) -> Placement:
        """Where rows of nested resources lie."""
        return Placement(self.site, self._referred)

    def _referred(self, model: Model, attribute: Attribute, owner: Actor) -> Any:
        relation = attribute.relation
        assert relation is not None  # asked by `value`
        if relation.account is not None:
            is_alone = any(attribute.name in unique.fields for unique in model.declared.unique)
            return (self.site.account() if is_alone else owner).key(relation.account)
        if relation.to == model.name and not relation.required:
            return None
        registry = self.site.runtime.registry
        target = registry.models[relation.to]
        return self.stored(registry.main_wire(target), owner)[0]

    def _another(self, model: Model, name: str, node: Field, value: Any) -> Any:
        if value is None or not _is_unique(model, name):
            return value
        number = next(self._numbers)
        if node.type == "email":
            return f"user{number}@example.org"
        if node.type == "url":
            return f"https://example.org/{number}"
        if node.type in TEXTS and node.pattern is None:
            return f"{value}{number}"[-longest(node) :]
        if node.type == "integer":
            return int(node.min or 0) + number
        return value


def _account_form(model: Model) -> Literal["id", "number", "hex"] | None:
    """The form of the actor's key that is the key of these rows, where they are accounts."""
    if model.declared.identity is not None:
        return model.declared.identity.key
    return "id" if model.name == ACCOUNT else None


def _is_unique(model: Model, name: str) -> bool:
    attribute = model.attributes.get(name)
    if attribute is None:
        return False
    single = attribute.field.unique or (attribute.is_key and len(model.keys) == 1)
    composite = any(name in unique.fields for unique in model.declared.unique)
    return single or composite or attribute.is_key
