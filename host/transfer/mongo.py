"""Records as `mongoexport` writes them: MongoDB Extended JSON, relaxed or canonical, one a line or one array, pretty or not.

The BSON types become the JSON values that a wire takes: an ObjectId its 24 hexadecimal digits, an instant its RFC 3339 text
(or day, or number, as the field wants), a Decimal128 its digits. Doubles in decimal fields are rounded to its places,
because that is what their last digits are: noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from bson import json_util
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from bson.int64 import Int64
from bson.objectid import ObjectId

from host.declaration.nodes import Field
from host.fields.forms import EPOCHS, Form
from host.transfer.cells import NotACell

OPTIONS = json_util.JSONOptions(tz_aware=True, tzinfo=UTC)


def parse_document(text: bytes) -> dict[str, Any]:
    """A document with BSON values. NotACell when it is not Extended JSON."""
    try:
        found = json_util.loads(text.decode(), json_options=OPTIONS)
    except (
        BSONError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        ArithmeticError,
    ) as error:
        raise NotACell(f"MongoDB Extended JSON ({str(error)[:100]})") from None
    if not isinstance(found, dict):
        raise NotACell("a document")
    return found


def wire_value(value: Any, field: Field, form: Form) -> Any:
    """A BSON value as the JSON value of a field."""
    if isinstance(value, list):
        inner = field.of or Field(type="json")
        return [wire_value(item, inner, form) for item in value]
    if isinstance(value, Mapping):
        return _object(value, field, form)
    return _scalar(value, field, form)


def _object(value: Mapping[str, Any], field: Field, form: Form) -> dict[str, Any]:
    """Embedded documents carry an `_id` that nobody declared; it is left out."""
    known: Mapping[Any, Field] = field.fields if field.type == "object" else {}
    is_declared = field.type == "object" and bool(known)
    anything = Field(type="json")
    return {
        key: wire_value(item, known.get(key, anything), form)
        for key, item in value.items()
        if not (is_declared and key == "_id" and key not in known)
    }


def _scalar(value: Any, field: Field, form: Form) -> Any:
    match value:
        case None | bool() | str():
            return value
        case ObjectId():
            return str(value)
        case datetime():
            return _instant(value, field, form)
        case Decimal128():
            return _decimal(value.to_decimal(), field)
        case float() if field.type == "decimal":
            return _decimal(Decimal(repr(value)), field)
        case Int64():
            return int(value)
        case int() | float():
            return value
        case Binary() if value.subtype in (3, 4):
            return str(value.as_uuid(value.subtype))
    if type(value).__name__ == "UUID":
        return str(value)
    raise NotACell(f"a value that JSON can hold, not {type(value).__name__}")


def _instant(value: datetime, field: Field, form: Form) -> Any:
    if field.type == "date":
        return value.astimezone(UTC).date().isoformat()
    if field.type == "datetime" and form.datetime in EPOCHS:
        seconds = value.timestamp()
        return seconds if form.datetime == "epoch" else seconds * 1000
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _decimal(value: Decimal, field: Field) -> Any:
    if field.type != "decimal":
        return float(value) if field.type == "float" else str(value)
    try:
        return str(value.quantize(Decimal(1).scaleb(-field.places), ROUND_HALF_EVEN))
    except InvalidOperation:
        raise NotACell("a finite decimal number") from None
