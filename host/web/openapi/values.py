"""JSON Schemas of values, from their declared fields: exactly what input fields take and what readers answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from host.compiler.schemas import camel
from host.declaration.nodes import Field
from host.fields.forms import EPOCHS
from host.fields.inputs import EMAIL
from host.fields.kinds import Kinds, decimal_pattern, longest
from host.web.openapi.components import Components, Json
from host.web.openapi.examples import example_object, example_of
from host.web.openapi.styles import Style

NULL: Json = {"type": "null"}
TAKEN_AS_TEXT = ("string", "text", "json")  # where an empty text is a value
BLANK: Json = {"const": ""}  # taken for null
LONGEST_EMAIL = 254
MOST_UNITS = 10**10  # seconds or minutes of a duration
_SECONDS = r"[0-9]{1,10}(\.[0-9]{1,6})?S"
_CLOCK_PART = rf"T([0-9]{{1,9}}H([0-9]{{1,9}}M)?({_SECONDS})?|[0-9]{{1,9}}M({_SECONDS})?|{_SECONDS})"
DURATION_ANSWER = r"^-?PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,6})?S)?$"
DURATION = rf"^-?P([0-9]{{1,6}}D({_CLOCK_PART})?|{_CLOCK_PART})$"
_DAY = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
NAIVE = rf"^[1-9][0-9]{{3}}-{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,6}})?)?$"
JSON_TYPES = ["object", "array", "string", "number", "boolean"]


class ValueSchemas:
    """Makes the schemas of one document; objects and enums become components."""

    def __init__(self, kinds: Kinds, components: Components) -> None:
        self.kinds, self.components = kinds, components

    def of(self, field: Field, style: Style, name: str, *, nullable: bool) -> Json:
        """The schema of a field with its description, default and example; `name` is for its inline types."""
        schema = self.bare(field, style, name)
        if style.is_taken and not nullable and self.kinds[field.type].is_file:
            schema = {"not": {}}  # no JSON holds a file; only a form does
        if nullable and style.takes_blank and field.type not in TAKEN_AS_TEXT:
            schema = {"anyOf": [*schema.get("anyOf", (schema,)), BLANK, NULL]}
        elif nullable:
            schema = or_null(schema)
        elif not schema and style.is_taken:
            schema = {"type": JSON_TYPES}
        return {**schema, **self._notes(field, style)}

    def bare(self, field: Field, style: Style, name: str) -> Json:
        """The schema of a field without notes, never null."""
        node = replace(field, type=self.kinds[field.type].like or field.type)
        base = camel(field.named) if field.named else name
        match node.type:
            case "enum":
                return self.components.schema(
                    (base, f"{base}Value"), {"type": "string", "enum": list(node.values)}
                )
            case "list" if node.of is not None:
                items = self.of(node.of, style, f"{base}Item", nullable=node.of.nullable is True)
                return {**self.kinds["list"].schema(node), "items": items}
            case "object" if node.fields:
                return self._object(node, style, base)
        maker = _MAKERS.get(node.type)
        schema = maker(node, style) if maker is not None else dict(self.kinds[node.type].schema(node))
        if node.max is None and not style.is_taken:
            schema.pop("maxLength", None)  # it bounds what is stored, and actions answer more than that
        return schema

    def _object(self, node: Field, style: Style, base: str) -> Json:
        name = f"{base}Input" if style.is_taken else base
        return self.components.schema(
            (name, f"{base}{style.words}{'Input' if style.is_taken else ''}"),
            self.object_schema(node, style, base),
        )

    def object_schema(self, node: Field, style: Style, base: str) -> Json:
        """The schema of an object's fields, not yet a component."""
        properties, required = {}, []
        for key, field in node.fields.items():
            nullable = not field.required and (field.nullable is not False or not style.is_taken)
            properties[str(key)] = self.of(field, style, f"{base}{camel(str(key))}", nullable=nullable)
            if field.required and (field.default is None or not style.is_taken):
                required.append(str(key))
        schema: Json = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if style.is_taken:
            schema["additionalProperties"] = not style.refuses_unknown
        return {
            **schema,
            **examples(example_object(node, self.kinds, style)),
            **described(node.doc),
        }

    def _notes(self, node: Field, style: Style) -> Json:
        notes = described(node.doc)
        if style.is_taken and node.default is not None:
            notes["default"] = example_of(replace(node, example=None, fields={}), self.kinds, style)
        if node.type in ("object", "list") and node.example is None:
            return notes  # the component has one
        return {**notes, **examples(example_of(node, self.kinds, style))}


def or_null(schema: Mapping[str, Any]) -> Json:
    """The schema, or null."""
    if not schema:
        return {}
    if schema == NULL:
        return NULL
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], NULL]}
    return {"anyOf": [dict(schema), NULL]}


def described(doc: str | None) -> Json:
    """The description, if there is one."""
    return {"description": doc} if doc else {}


def examples(value: Any) -> Json:
    """The example, if there is one."""
    return {} if value is None else {"examples": [value]}


def _decimal(node: Field, style: Style) -> Json:
    number: Json = {"type": "number", **_limits(node)}
    if style.decimal == "string":
        number["multipleOf"] = float(Decimal(1).scaleb(-node.places))
    if style.is_taken:
        pattern = decimal_pattern(node).replace("-?", "", 1) if _is_positive(node) else decimal_pattern(node)
        return {"anyOf": [{"type": "string", "pattern": pattern}, number]}
    if style.decimal == "number":
        return {"type": "number"}
    fraction = rf"(\.[0-9]{{{node.places}}})?" if node.places else ""
    return {"type": "string", "pattern": f"^-?[0-9]+{fraction}$"}


def _is_positive(node: Field) -> bool:
    return node.min is not None and float(node.min) >= 0


def _limits(node: Field) -> Json:
    largest = float(10 ** (node.digits - node.places)) - float(10**-node.places)
    low = float(node.min) if node.min is not None else -largest
    high = float(node.max) if node.max is not None else largest
    return {"minimum": low, "maximum": high}


def _datetime(node: Field, style: Style) -> Json:
    instant = {"type": "string", "format": "date-time"}
    if not style.is_taken:
        naive = {"type": "string", "pattern": NAIVE} if style.datetime == "naive" else instant
        return naive if style.datetime not in EPOCHS else {"type": "integer"}
    thousand = 1000 if style.datetime == "epoch_ms" else 1
    choices: list[Json] = [instant]
    if style.datetime in EPOCHS:
        first, end = -62135596800, 253402300800  # of the years 1 to 9999
        choices.append({"type": "number", "minimum": first * thousand, "maximum": end * thousand - 1})
    choices += [{"type": "string", "format": "date"}] if style.is_lenient else []
    choices += [{"type": "string", "pattern": NAIVE}] if style.takes_naive else []
    return instant if len(choices) == 1 else {"anyOf": choices}


def _date(node: Field, style: Style) -> Json:
    day = {"type": "string", "format": "date"}
    return (
        {"anyOf": [day, {"type": "string", "format": "date-time"}]}
        if style.is_taken and style.is_lenient
        else day
    )


def _duration(node: Field, style: Style) -> Json:
    if style.duration == "iso":
        return {"type": "string", "pattern": DURATION if style.is_taken else DURATION_ANSWER}
    bounds = {"exclusiveMinimum": -MOST_UNITS, "exclusiveMaximum": MOST_UNITS} if style.is_taken else {}
    return {"type": "number", **bounds}


def _email(node: Field, style: Style) -> Json:
    """By pattern alone: validators disagree on what the formats for addresses mean."""
    length = {key: value for key, value in (("minLength", node.min),) if value is not None}
    most = min(longest(node), LONGEST_EMAIL)
    return {"type": "string", "pattern": f"^{EMAIL.pattern}$", "maxLength": most, **length}


def _file(node: Field, style: Style) -> Json:
    if style.is_taken:
        return {"type": "null"}  # JSON holds no file; a form does
    if style.file != "object":
        return {"type": "string"}
    properties: Json = {
        "url": {"type": ["string", "null"], "description": "where it is downloaded"},
        "name": {"type": "string"},
        "size": {"type": ["integer", "null"], "description": "bytes"},
        "type": {"type": ["string", "null"], "description": "the media type"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


_MAKERS: Mapping[str, Callable[[Field, Style], Json]] = {
    "decimal": _decimal, "datetime": _datetime, "date": _date, "duration": _duration, "email": _email,
    "file": _file, "image": _file,
}  # fmt: skip
