"""What stands on the right of a filter: a text of the query string as a native value, in the form that the wire gives values."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from host.compiler.models import Attribute
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field, WireValues
from host.fields.forms import EPOCHS
from host.fields.inputs import check_text, input_field
from host.fields.kinds import Kinds

MOST_VALUES = 200  # of one `in`
LAST_OF_DAY = timedelta(days=1) - timedelta(microseconds=1)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def operand(kinds: Kinds, wire: CompiledWire, attribute: Attribute, operator: str, text: str) -> Any:
    """The native value, a tuple of them for `in`, a boolean for `null`. ValueError says what is expected."""
    if operator == "null":
        if text not in ("true", "false"):
            raise ValueError("true or false")
        return text == "true"
    if operator == "in":
        parts = text.split(",")
        if len(parts) > MOST_VALUES:
            raise ValueError(f"at most {MOST_VALUES} values")
        return tuple(_value(kinds, wire, attribute, part) for part in parts)
    if operator in ("contains", "starts"):
        return sound(text)
    value = _value(kinds, wire, attribute, text)
    is_day = attribute.field.type == "datetime" and _DAY.fullmatch(text) is not None
    return value + LAST_OF_DAY if is_day and operator in ("lte", "gt") else value


def _value(kinds: Kinds, wire: CompiledWire, attribute: Attribute, text: str) -> Any:
    field, values = attribute.field, wire.declared.values
    if field.type == "duration":
        values = replace(values, duration=wire.declared.units.get(attribute.name, values.duration))
    if _has_own_form(field, values):
        return _in_form(field, values, text)
    return kinds[field.type].parse(sound(text), field)


def _has_own_form(field: Field, values: WireValues) -> bool:
    """Whether the wire takes other texts than the field type itself."""
    if field.type == "duration":
        return values.duration != "iso"
    return field.type in ("datetime", "date") and bool(
        values.lenient_dates or values.naive or values.datetime != "iso"
    )


def _in_form(field: Field, values: WireValues, text: str) -> Any:
    from marshmallow import ValidationError  # already loaded by `input_field`'s module

    is_number = field.type == "duration" or (field.type == "datetime" and values.datetime in EPOCHS)
    given = float(text) if is_number and _NUMBER.fullmatch(text) else text
    try:
        return input_field(replace(field, min=None, max=None), values).deserialize(given)
    except ValidationError as error:
        raise ValueError(str(error.messages[0]).removeprefix("expected ")) from None


def sound(text: str) -> str:
    """The text, if every database can hold it."""
    from marshmallow import ValidationError

    try:
        return check_text(text)
    except ValidationError as error:
        raise ValueError(f"a sound text ({error.messages[0]})") from None
