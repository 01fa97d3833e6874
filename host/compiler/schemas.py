"""Marshmallow schemas of a wire: what create and update take, what answers look like, and the types of actions.

Classes are built when first needed, named explicitly (`FreelanceInvoiceCreate`) and kept out of marshmallow's global
registry. Loading gives native values under inner names; errors become `Invalid` with JSON pointers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace as changed
from threading import RLock
from typing import Any

import marshmallow as ma

from host.compiler.models import Attribute, Link
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field, WireValues
from host.errors import FieldError, Invalid
from host.fields.inputs import OUT_OF_RANGE, input_field
from host.fields.kinds import Kinds

MOST_LINKS = 1000
STANDARD_VALUES = WireValues()


def camel(name: str) -> str:
    """`freelance.line_item` as `FreelanceLineItem`."""
    return "".join(
        part[:1].upper() + part[1:] for part in name.replace(".", "_").replace("-", "_").split("_")
    )


class Schemas:
    """The schemas of one app, built on demand and kept."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self._built: dict[tuple[object, ...], ma.Schema] = {}
        self._lock = RLock()

    def create(self, wire: CompiledWire) -> ma.Schema:
        """What POST takes (and PUT, where it replaces): required and defaults as declared."""
        return self._kept((wire, "create"), lambda: self._writing(wire, "Create"))

    def patch(self, wire: CompiledWire) -> ma.Schema:
        """What a partial update takes: everything optional, nothing that is set once."""
        return self._kept((wire, "patch"), lambda: self._writing(wire, "Patch"))

    def replace(self, wire: CompiledWire) -> ma.Schema:
        """What PUT takes where it replaces: like create, without what is set once."""
        return self._kept((wire, "replace"), lambda: self._writing(wire, "Replace"))

    def replaced(self, wire: CompiledWire) -> tuple[str, ...]:
        """What a replacing update sets even when it is left out."""
        return tuple(
            name
            for name, node in writable(wire, updating=True).items()
            if isinstance(node, Attribute) and not node.is_file  # JSON could not have held it
        )

    def removal(self, wire: CompiledWire) -> ma.Schema | None:
        """What DELETE takes of a row that is made of events: the transient values that its event keeps."""
        if wire.model.declared.logged is None or not transient(wire):
            return None
        return self._kept((wire, "removal"), lambda: self._removing(wire))

    def restore(self, wire: CompiledWire) -> ma.Schema:
        """What an import by the system takes: everything that is stored, also what only the server sets."""
        return self._kept((wire, "restore"), lambda: self._restoring(wire))

    def value(
        self, name: str, field: Field, values: WireValues = STANDARD_VALUES, unknown: str = "refuse"
    ) -> ma.Schema:
        """The schema of an object type, by the name of its component."""
        return self._kept(
            (name, field.type, values, unknown), lambda: self._object(name, field, values, unknown)
        )

    def load(self, schema: ma.Schema, data: Any, *, partial: bool = False) -> dict[str, Any]:
        """Native values under inner names, or Invalid with every problem."""
        if not isinstance(data, dict):
            raise Invalid.at("", "type", "expected a JSON object")
        try:
            return schema.load(data, partial=partial)  # type: ignore[no-any-return]  # a dict unless many=True
        except ma.ValidationError as error:
            raise Invalid("the input is not valid", _field_errors(error.messages)) from None

    def field(
        self, name: str, field: Field, values: WireValues, unknown: str = "refuse", **options: Any
    ) -> ma.fields.Field[Any]:
        """The marshmallow field of any declared field; `name` names the components of inline objects."""
        options["metadata"] = {
            "field": field,
            "values": values,
            "unknown": unknown,
            "name": name,
        }  # what the document is made of
        if field.type == "list" and field.of is not None:
            inner = self.field(f"{name}Item", field.of, values, unknown, allow_none=field.of.nullable is True)
            return ma.fields.List(inner, validate=input_field_validators(field), **options)
        if field.type == "object" and field.fields:
            return ma.fields.Nested(self.value(name, field, values, unknown), **options)
        kind = self.kinds[field.type]
        return input_field(changed(field, type=kind.like or field.type), values, **options)

    def default(self, name: str, field: Field) -> Any:
        """A declared default as a native value; `name` names the components of inline objects."""
        kind = self.kinds[field.type]
        if kind.is_nested:
            return self.field(camel(name), field, STANDARD_VALUES).deserialize(field.default)
        if isinstance(field.default, bool) or (kind.is_text and isinstance(field.default, str)):
            return field.default
        return kind.parse(str(field.default), field)

    def _left_out(self, name: str, node: Field) -> dict[str, Any]:
        return {} if node.default is None else {"load_default": functools.partial(self.default, name, node)}

    def _kept(self, key: tuple[object, ...], make: Any) -> ma.Schema:
        found = self._built.get(key)
        if found is None:
            with self._lock:
                found = self._built.get(key) or self._built.setdefault(key, make())
        return found

    def _writing(self, wire: CompiledWire, suffix: str) -> ma.Schema:
        prefix = camel(wire.model.name) + ("" if wire.is_main else camel(wire.name))
        fields: dict[str, Any] = {}
        for name, node in writable(wire, updating=suffix != "Create").items():
            is_kept = suffix == "Replace" and isinstance(node, Attribute) and node.is_file
            fields[name] = self._input(prefix, wire, name, node, is_patch=suffix == "Patch" or is_kept)
        return _schema(f"{prefix}{suffix}", fields, wire.declared.unknown, self._blanks(wire))

    def _removing(self, wire: CompiledWire) -> ma.Schema:
        prefix = camel(wire.model.name) + ("" if wire.is_main else camel(wire.name))
        fields = {
            name: self._input(prefix, wire, name, node, is_patch=True)
            for name, node in transient(wire).items()
        }
        return _schema(f"{prefix}Delete", fields, wire.declared.unknown)

    def _blanks(self, wire: CompiledWire) -> tuple[str, ...]:
        """Outer names of what takes an empty text for null on this wire."""
        if wire.declared.values.blank != "none":
            return ()
        fields = {name: item.field for name, item in wire.model.attributes.items()}
        keys = [name for name, item in wire.model.attributes.items() if item.relation is not None]
        return tuple(wire.outer[name] for name in (*_blanks(fields.items()), *keys) if name in wire.outer)

    def _restoring(self, wire: CompiledWire) -> ma.Schema:
        prefix = camel(wire.model.name) + ("" if wire.is_main else camel(wire.name))
        fields = {}
        for name, node in restorable(wire).items():
            is_filled_in = (
                isinstance(node, Attribute) and node.field.set == "server" and node is not wire.model.owner
            )
            fields[name] = self._input(prefix, wire, name, node, is_patch=is_filled_in)
        return _schema(f"{prefix}Restore", fields, wire.declared.unknown)

    def _input(
        self, prefix: str, wire: CompiledWire, name: str, node: Attribute | Field | Link, *, is_patch: bool
    ) -> Any:
        options: dict[str, Any] = {"data_key": wire.outer.get(name, name)}
        if isinstance(node, Link):
            keys = Field(type="list", of=node.key, max=MOST_LINKS)
            return self.field(camel(name), keys, wire.declared.values, **options)
        field = node.field if isinstance(node, Attribute) else node
        nullable = node.is_nullable if isinstance(node, Attribute) else not field.required
        options["required"] = field.required and field.default is None and not is_patch
        options["allow_none"] = nullable
        unit = wire.declared.units.get(name)
        values = changed(wire.declared.values, duration=unit) if unit else wire.declared.values
        return self.field(prefix + camel(name), field, values, wire.declared.unknown, **options)

    def _object(self, name: str, field: Field, values: WireValues, unknown: str) -> ma.Schema:
        fields = {
            key: self.field(
                f"{name}{camel(key)}", node, values, unknown, required=node.required and node.default is None,
                allow_none=not node.required and node.nullable is not False,
                **self._left_out(f"{name}{camel(key)}", node),
            )
            for key, node in field.fields.items()
        }  # fmt: skip
        return _schema(name, fields, unknown, _blanks(field.fields.items()) if values.blank == "none" else ())


def input_field_validators(field: Field) -> list[Any]:
    """The length limits of a list."""
    if field.min is None and field.max is None:
        return []
    return [ma.validate.Length(min=field.min, max=field.max)]


def writable(wire: CompiledWire, *, updating: bool) -> Mapping[str, Attribute | Field | Link]:
    """What a caller may send through this wire: attributes, transient fields, and linked keys."""
    found: dict[str, Attribute | Field | Link] = {}
    for name, attribute in wire.model.attributes.items():
        is_fixed = (updating and (attribute.field.set == "once" or attribute.is_key)) or name in wire.given
        if name in wire.outer and attribute.is_writable and not is_fixed:
            found[name] = attribute
    found |= transient(wire)
    for name, link in wire.model.links.items():
        if link.table is not None and name in wire.outer and link.relation.set != "server":
            found[name] = link
    return found


def transient(wire: CompiledWire) -> Mapping[str, Field]:
    """What a caller may send through this wire that is never stored."""
    fields = wire.model.declared.fields.items()
    return {
        name: node
        for name, node in fields
        if node.transient and node.set != "server" and name not in wire.declared.hide
    }


def restorable(wire: CompiledWire) -> Mapping[str, Attribute | Field | Link]:
    """What the system may import through this wire; what the wire hides goes by its inner name."""
    names = set(wire.outer.values())
    hidden = {
        attribute.name: attribute for attribute in wire.model.stored() if attribute.name not in wire.outer
    }
    shown = {attribute.name: attribute for attribute in wire.model.stored() if attribute.name in wire.outer}
    return {
        **writable(wire, updating=False),
        **shown,
        **{name: node for name, node in hidden.items() if name not in names},
    }


def _schema(name: str, fields: dict[str, Any], unknown: str, blanks: Iterable[str] = ()) -> ma.Schema:
    meta = type("Meta", (), {"register": False, "unknown": ma.RAISE if unknown == "refuse" else ma.EXCLUDE})
    cleared = frozenset(blanks)

    def clear(self: ma.Schema, data: Any, **_: Any) -> Any:
        """Empty texts as null, where no text is wanted."""
        if not isinstance(data, Mapping):
            return data
        return {key: None if value == "" and key in cleared else value for key, value in data.items()}

    members = {"_clear": ma.pre_load(clear)} if cleared else {}
    made: type[ma.Schema] = type(name, (ma.Schema,), {**fields, **members, "Meta": meta})
    return made()


def _blanks(fields: Iterable[tuple[str, Field]]) -> tuple[str, ...]:
    """Those of the fields for which an empty text is no value."""
    texts = ("string", "text", "json")
    return tuple(name for name, field in fields if field.type not in texts and "" not in field.values)


def _field_errors(messages: Any, pointer: str = "") -> list[FieldError]:
    """Marshmallow's nested messages as a flat list with JSON pointers."""
    if isinstance(messages, Mapping):
        found: list[FieldError] = []
        for key, inner in messages.items():
            below = (
                pointer if key == "_schema" else f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            )
            found += _field_errors(inner, below)
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return [FieldError(pointer, _code(str(text)), _say(str(text))) for text in texts]


_SAID = {
    "Missing data for required field.": ("required", "this is required"),
    "Unknown field.": ("unknown", "nobody declared this key"),
    "Field may not be null.": ("null", "may not be null"),
}


def _code(text: str) -> str:
    if text.startswith(OUT_OF_RANGE):
        return "range"
    return _SAID.get(text, ("invalid", ""))[0]


def _say(text: str) -> str:
    return _SAID.get(text, ("", text))[1]
