"""Marshmallow schemas of what a wire answers: they document the shape, the compiled readers make it.

Both come from the same `outputs`; a test dumps rows through these schemas and compares with what readers gave.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import marshmallow as ma

from host.compiler.expressions import Scope
from host.compiler.readers import Output, converter
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire, outputs
from host.fields.forms import Form
from host.fields.kinds import Kinds


class Answered(ma.fields.Field[Any]):
    """One key of an answered row. `required` means that every row has it: no `read` rule may hide it."""

    def __init__(self, output: Output, form: Form, kinds: Kinds, **options: Any) -> None:
        super().__init__(dump_only=True, **options)
        self.output, self.form = output, output.form or form
        self.kinds = kinds

    @cached_property
    def convert(self) -> Callable[[Any], Any]:
        """From a native value to the outer form."""
        return converter(self.output.field, self.kinds, self.form)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return self.output.constant if self.output.value is None else self.convert(value)


def answer_name(wire: CompiledWire) -> str:
    """The component's name: `FreelanceInvoice`, with the wire's name behind it where it is not the main one."""
    return camel(wire.model.name) + ("" if wire.is_main else camel(wire.name))


def answer_schema(wire: CompiledWire, kinds: Kinds, scope: Scope) -> ma.Schema:
    """The schema of an answered row. `scope` is the system's, for whom no key is hidden."""
    fields: dict[str, Any] = {}
    for output in outputs(wire, scope):
        source = _source(wire, output)
        attribute = wire.model.attributes.get(source)
        fields[output.key] = Answered(
            output, wire.form, kinds, attribute=source, allow_none=output.is_nullable,
            required=attribute is None or not attribute.field.read,
        )  # fmt: skip
    meta = type("Meta", (), {"register": False, "unknown": ma.EXCLUDE})
    made: type[ma.Schema] = type(answer_name(wire), (ma.Schema,), {**fields, "Meta": meta})
    return made()


def _source(wire: CompiledWire, output: Output) -> str:
    """The attribute whose value stands under a key; the key itself where it is no attribute of the row."""
    also = wire.declared.also.get(output.key)
    if also is not None:
        return str(also)
    foreign = output.value is None or output.key in wire.declared.through or output.key in wire.declared.embed
    return output.key if foreign else wire.inner.get(output.key, output.key)
