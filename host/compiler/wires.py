"""A wire compiled: the outer names, forms and statuses of one resource, in both directions. Presentation only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from host.compiler.aggregates import as_hosted, json_array
from host.compiler.embedding import embedded_outputs, seen
from host.compiler.expressions import Scope, terminal
from host.compiler.files import file_output, file_through
from host.compiler.models import Attribute, Link, Model, Models
from host.compiler.parents import Parent, parents_in
from host.compiler.readers import Output, attribute_output, guarded, path_output, readable
from host.declaration.embeds import replaced
from host.declaration.nodes import Field, Wire, WireOperation
from host.declaration.paths import Places, places
from host.fields.forms import Form


@dataclass(frozen=True, eq=False)
class CompiledWire:
    """One outer shape of a model."""

    name: str
    model: Model
    declared: Wire
    form: Form
    path: str  # the collection's own
    places: Places
    parents: tuple[Parent, ...]  # what the path fixes
    outer: Mapping[str, str]  # attribute or link to its outer name
    inner: Mapping[str, str]  # every accepted outer name to the attribute or link
    shown: tuple[str, ...]  # attributes in the order of answers
    create: WireOperation = field(default_factory=WireOperation)
    update: WireOperation = field(default_factory=WireOperation)
    delete: WireOperation = field(default_factory=WireOperation)

    @property
    def is_main(self) -> bool:
        """Whether it is the resource's first wire, whose names need no suffix."""
        return next(iter(self.model.declared.wires), self.name) == self.name

    @cached_property
    def told_by(self) -> tuple[Attribute, ...]:
        """What tells a row in this wire's paths: its key, or what `by` names."""
        by = self.declared.by
        return (self.model.attributes[by],) if by is not None else self.model.keys

    @cached_property
    def given(self) -> frozenset[str]:
        """The relations that the path gives and no body can."""
        return frozenset(parent.steps[0] for parent in self.parents if len(parent.steps) == 1)

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The relations whose rows stand in the place of their keys."""
        return replaced(self.declared, self.outer)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The outer names of everything that an answered row may hold."""
        linked = [link.name for link in self.model.links.values() if link.table is not None]
        names = [self.outer[name] for name in (*self.shown, *linked) if name in self.outer]
        declared = self.declared
        more = (*declared.embed, *declared.also, *declared.through, *declared.constants)
        return tuple(dict.fromkeys((*names, *map(str, more))))

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Further accepted input names, each to the wire's own."""
        return {other: node.name for node in self.declared.names.values() for other in node.accept}

    def renamed(self, data: Any) -> Any:
        """A body with further accepted names replaced by the wire's own."""
        aliases = self.aliases
        if not aliases or not isinstance(data, dict):
            return data
        found = {aliases.get(key, key): value for key, value in data.items() if key in aliases}
        return {**found, **{key: value for key, value in data.items() if key not in aliases}}

    @cached_property
    def derives(self) -> bool:
        """Whether answers hold what can change without the row: roll-ups, computed values, links, values of others."""
        attributes = (self.model.attributes[name] for name in self.shown)
        return bool(self.declared.through or self.declared.embed or self.model.links) or any(
            not item.is_stored or item.field.read or item.is_file for item in attributes
        )

    def pointer(self, pointer: str) -> str:
        """An error's pointer in outer names."""
        head, slash, rest = pointer.lstrip("/").partition("/")
        name = self.outer.get(head, head)
        return f"/{name}{slash}{rest}" if pointer.startswith("/") else f"{name}{slash}{rest}"

    def field_form(self, name: str) -> Form | None:
        """The form of one field where it differs from the wire's: its unit."""
        unit = self.declared.units.get(name)
        return replace(self.form, duration=unit) if unit else None


def compile_wire(name: str, model: Model, declared: Wire, models: Models) -> CompiledWire:
    """Resolve the outer names of a wire."""
    hidden = set(declared.hide)
    names = {
        **{name: name for name in (*model.attributes, *model.links)},
        **{key: node.name for key, node in declared.names.items()},
    }
    outer = {key: value for key, value in names.items() if key not in hidden}
    inner = {value: key for key, value in outer.items()}
    for key, node in declared.names.items():
        inner.update(dict.fromkeys(node.accept, key))
    shown = tuple(
        attribute.name
        for attribute in model.attributes.values()
        if attribute.name in outer and not attribute.field.secret and attribute is not model.deleted
    )
    form = Form.of(declared.values)
    declared = declared if declared.path else replace(declared, path=model.declared.path)
    where, parents = places(model.declared, declared), parents_in(declared.path or "", model, models)
    return CompiledWire(
        name, model, declared, form, where.collections[0], where, parents, outer, inner, shown,
        create=replace(declared.create, status=declared.create.status or 201, body=declared.create.body or "row"),
        update=replace(declared.update, status=declared.update.status or 200, body=declared.update.body or "row"),
        delete=_delete(declared.delete),
    )  # fmt: skip


def _delete(node: WireOperation) -> WireOperation:
    body = node.body or "none"
    return replace(node, body=body, status=node.status or (204 if body == "none" else 200))


def outputs(wire: CompiledWire, scope: Scope, only: Iterable[str] | None = None) -> list[Output]:
    """What an answered row holds for an actor with the scope's facts; `only` narrows it to outer names."""
    chosen = None if only is None else set(only)
    found: list[Output] = []
    for name in wire.shown:
        if name in wire.replaced:
            continue
        attribute = wire.model.attributes[name]
        plain = (
            file_output(wire, attribute, scope)
            if attribute.is_file
            else attribute_output(attribute, scope, wire.outer[name], wire.field_form(name))
        )
        output = readable(attribute, scope, plain)
        if output is not None:
            found.append(output)
    found += _extra(wire, scope, found)
    return found if chosen is None else [output for output in found if output.key in chosen]


def _extra(wire: CompiledWire, scope: Scope, found: Sequence[Output]) -> list[Output]:
    by_attribute = {wire.inner[output.key]: output for output in found}
    linked = (
        _link_output(wire, link, scope)
        for link in wire.model.links.values()
        if link.table is not None and link.name in wire.outer and link.name not in wire.replaced
    )
    extra = [output for output in linked if output is not None]
    extra += embedded_outputs(wire, scope)
    extra += [
        replace(by_attribute[source], key=key)
        for key, source in wire.declared.also.items()
        if source in by_attribute
    ]
    for key, path in wire.declared.through.items():
        attribute = terminal(tuple(path.split(".")), scope)
        assert attribute is not None  # the linker resolved the path
        steps = tuple(path.split("."))
        through = file_through(key, steps, attribute, scope, wire.form) if attribute.is_file else None
        read = through or path_output(key, path, attribute.field, scope)
        output = readable(wire.model.attributes[steps[0]], scope, read)
        extra += [output] if output is not None else []
    constants: Mapping[str, Any] = wire.declared.constants
    extra += [Output(key, wire.model.keys[0].field, None, constant=value) for key, value in constants.items()]
    return extra


def _link_output(wire: CompiledWire, link: Link, scope: Scope) -> Output | None:
    """What tells the linked rows, aggregated as JSON in the same query: their keys, or the texts they are matched by."""
    assert link.table is not None and link.here is not None and link.there is not None
    here = link.here == scope.column(wire.model.keys[0].name)
    target = scope.inside(scope.models[link.target])
    assert target.model is not None
    linked = target.column(target.model.keys[0].name) == link.there
    if link.matched is not None:
        seeing = replace(target, plugin=target.model.plugin)
        name = target.column(link.matched.attribute.name)
        rows = sa.select(name.label("name")).where(here, linked, *seen(seeing)).order_by(name).subquery()
        found = sa.select(json_array(rows.c.name)).scalar_subquery()
    else:
        conditions = [here]
        if target.model.deleted is not None:
            alive = target.column(target.model.deleted.name).is_(None)
            conditions.append(sa.exists(sa.select(sa.literal_column("1")).where(linked, alive)))
        found = sa.select(json_array(as_hosted(link.there))).where(*conditions).scalar_subquery()
    output = Output(wire.outer[link.name], Field(type="list", of=link.key), found, is_nullable=False)
    return guarded(link.relation.read, scope, output)
