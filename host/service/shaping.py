"""What the functions of actions, endpoints and jobs return, in the declared form. `web` and `jobs` answer with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host.compiler.readers import converter
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.fields.forms import STANDARD, Form
from host.service.context import Context


def shape_of(ctx: Context, out: Field, wire: CompiledWire | None) -> Callable[[Any], Any]:
    """A function from native values to the outer form: resources through their wire, types through their fields."""
    registry = ctx.runtime.registry
    if out.type in registry.models:
        target = _wire_of(ctx, out.type, wire)
        return lambda row: None if row is None else _shown(ctx, target, row)
    if out.type == "list" and out.of is not None:
        inner = shape_of(ctx, out.of, wire)
        return lambda rows: [inner(row) for row in rows]
    form = wire.form if wire is not None else STANDARD
    return _converter(ctx, out, form)


def _shown(ctx: Context, wire: CompiledWire, row: Mapping[str, Any]) -> Any:
    """A stored row as the wire shows it to the actor; that it may be answered is the function's decision."""
    if ctx.work is None:
        with ctx.reading() as short:
            return _shown(short, wire, row)
    keys = tuple(row[key.name] for key in wire.model.keys)
    found = ctx.runtime.plans.checked(wire, ctx.facts, ()).fetch(ctx.transaction.driver, keys, ctx.values)
    return found.row() if found is not None else None


def _converter(ctx: Context, field: Field, form: Form) -> Callable[[Any], Any]:
    registry = ctx.runtime.registry
    return ctx.runtime.plans.kept(
        ("converter", id(field), form),
        field,
        lambda: converter(field, registry.kinds, form),
    )


def _wire_of(ctx: Context, name: str, wire: CompiledWire | None) -> CompiledWire:
    if wire is not None and wire.model.name == name:
        return wire
    wires = ctx.runtime.registry.wires[name]
    return next((found for found in wires if wire is not None and found.name == wire.name), wires[0])
