"""One record per field type: its column, the constraints it takes, its filter operators, JSON Schema and example.

Everything that depends on a field's type is asked of these records (and of `forms` and `inputs` beside them), so no other
module switches on a type's name. Plugins add records through the hook `register_field_types`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from host.declaration.nodes import Field
from host.declaration.vocabulary import TypeWords, Vocabulary
from host.fields.durations import parse_duration

if TYPE_CHECKING:
    import sqlalchemy as sa

BIGGEST_INTEGER = 2**63 - 1
LONGEST_STRING = 255  # when `max` is not declared
LONGEST_TEXT = 100_000
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
EQUALITY = ("eq", "ne", "in", "null")
ORDER = (*EQUALITY, "gt", "gte", "lt", "lte")
TEXT = (*EQUALITY, "contains", "starts")

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FieldKind:
    """What the host knows of one field type."""

    name: str
    doc: str
    constraints: frozenset[str] = frozenset()
    operators: tuple[str, ...] = EQUALITY
    column: Callable[[Field], sa.types.TypeEngine[Any]]
    parse: Callable[
        [str, Field], Any
    ]  # a text of a query, path or CSV cell; ValueError says what is expected
    schema: Callable[[Field], Schema]
    example: Any
    is_text: bool = False
    is_numeric: bool = False
    is_ordered: bool = False
    is_nested: bool = False
    is_file: bool = False
    like: str | None = None  # a built-in type whose input and output form a registered type shares
    needs: frozenset[str] = field(
        default=frozenset()
    )  # constraints that must be given, e.g. an enum's `values`


# What a field takes from its named type, and what of that it may say itself.
# --- texts to values --------------------------------------------------------------------------------------------------


def _parse_string(text: str, node: Field) -> str:
    if "\x00" in text:
        raise ValueError("a text without NUL characters")
    return text


def parse_integer(text: str, node: Field) -> int:
    """A whole number of at most 64 bits; long digit strings never reach `int`."""
    if re.fullmatch(r"[+-]?[0-9]{1,19}", text) is None or abs(number := int(text)) > BIGGEST_INTEGER:
        raise ValueError("a whole number of at most 64 bits")
    return number


def _parse_float(text: str, node: Field) -> float:
    is_plain = len(text) <= 400 and _NUMBER.fullmatch(text) is not None
    number = float(text) if is_plain else math.nan
    if not math.isfinite(number):
        raise ValueError("a number")
    return number


def parse_decimal(text: str, node: Field) -> Decimal:
    """A finite decimal within the declared digits and places."""
    expected = f"a decimal number with at most {node.digits} digits, {node.places} of them after the point"
    if len(text) > 40 or _NUMBER.fullmatch(text) is None:
        raise ValueError(expected)
    number = Decimal(text)
    if abs(number) >= Decimal(10) ** (node.digits - node.places):
        raise ValueError(expected)
    rounded = number.quantize(Decimal(1).scaleb(-node.places))
    if rounded != number:
        raise ValueError(expected)
    return rounded + 0  # without the sign of -0.00


def _parse_boolean(text: str, node: Field) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def parse_date(text: str, node: Field) -> date:
    """`YYYY-MM-DD`, nothing else."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise ValueError("a date, YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a date, YYYY-MM-DD") from None


def parse_time(text: str, node: Field) -> time:
    """`HH:MM[:SS[.ffffff]]` without a zone."""
    if CLOCK.fullmatch(text) is None:
        raise ValueError("a time, HH:MM:SS")
    return time.fromisoformat(text)


def parse_instant(text: str, node: Field) -> datetime:
    """RFC 3339 with an offset; answered in UTC."""
    expected = "an instant with its offset, e.g. 2026-01-31T12:00:00Z"
    try:
        value = datetime.fromisoformat(text) if re.match(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", text) else None
        value = value.astimezone(UTC) if value is not None and value.tzinfo is not None else None
    except (ValueError, OverflowError):
        value = None
    if value is None:
        raise ValueError(expected)
    return value


def parse_uuid(text: str, node: Field) -> str:
    """A UUID in the canonical form, lower case."""
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is None:
        raise ValueError("a UUID")
    return text.lower()


def _parse_enum(text: str, node: Field) -> str:
    if text not in node.values:
        raise ValueError(f"one of {', '.join(node.values)}")
    return text


def _parse_file(text: str, node: Field) -> Any:
    raise ValueError("an uploaded file, which a text cannot hold")


def _parse_nested(text: str, node: Field) -> Any:
    raise ValueError("a JSON document, which a single text cannot hold")


# --- JSON Schema ------------------------------------------------------------------------------------------------------


def _bounds(node: Field, low: str, high: str, convert: Callable[[Any], Any] = lambda value: value) -> Schema:
    found = {low: node.min, high: node.max}
    return {key: convert(value) for key, value in found.items() if value is not None}


def longest(node: Field) -> int:
    """The greatest length of a text field."""
    return (
        int(node.max) if node.max is not None else (LONGEST_TEXT if node.type == "text" else LONGEST_STRING)
    )


def _string_schema(node: Field, **extra: Any) -> Schema:
    schema: Schema = {"type": "string", **extra, **_bounds(node, "minLength", "maxLength")}
    schema.setdefault("maxLength", longest(node))
    if node.pattern:
        schema["pattern"] = f"^(?:{node.pattern})$"
    return schema


def decimal_pattern(node: Field) -> str:
    """The regular expression of a decimal's text in answers and input."""
    whole = max(node.digits - node.places, 1)
    fraction = f"(\\.[0-9]{{1,{node.places}}})?" if node.places else ""
    return f"^-?[0-9]{{1,{whole}}}{fraction}$"


def _integer_schema(node: Field) -> Schema:
    return {
        "type": "integer",
        "minimum": -BIGGEST_INTEGER,
        "maximum": BIGGEST_INTEGER,
        **_bounds(node, "minimum", "maximum", int),
    }


def _list_schema(node: Field) -> Schema:
    return {"type": "array", **_bounds(node, "minItems", "maxItems")}


def _column(name: str) -> Callable[[Field], sa.types.TypeEngine[Any]]:
    """The column of a built-in type. SQLAlchemy is imported for the first one: checking declarations asks for none."""

    def column(node: Field) -> sa.types.TypeEngine[Any]:
        from host.fields.stored import COLUMNS

        return COLUMNS[name](node)

    return column


# --- the records ------------------------------------------------------------------------------------------------------


def _text_kind(
    name: str, doc: str, example: str, schema: Schema | None = None, constraints: str = "min max pattern trim"
) -> FieldKind:
    return FieldKind(
        name=name, doc=doc, example=example, is_text=True, operators=TEXT, is_ordered=True,
        constraints=frozenset(constraints.split()),
        column=_column("text"),
        parse=_parse_string, schema=lambda node: _string_schema(node, **(schema or {})),
    )  # fmt: skip


def _file_kind(name: str, doc: str, more: str = "") -> FieldKind:
    return FieldKind(
        name=name, doc=doc, example=None, operators=("null",), is_file=True,
        constraints=frozenset(f"max types folder links {more}".split()), column=_column("file"),
        parse=_parse_file, schema=lambda node: {"type": "null"},
    )  # fmt: skip


BUILT_IN: tuple[FieldKind, ...] = (
    _text_kind("string", f"a text of one line, at most {LONGEST_STRING} characters unless `max` says more", "Blue"),
    _text_kind("text", f"a long text, at most {LONGEST_TEXT} characters unless `max` says otherwise", "Some words."),
    FieldKind(
        name="integer", doc="a whole number of at most 64 bits", example=42, is_numeric=True, is_ordered=True,
        operators=ORDER, constraints=frozenset({"min", "max"}), column=_column("integer"),
        parse=parse_integer, schema=_integer_schema,
    ),
    FieldKind(
        name="float", doc="a double, never NaN or infinite", example=1.5, is_numeric=True, is_ordered=True,
        operators=ORDER, constraints=frozenset({"min", "max"}), column=_column("float"), parse=_parse_float,
        schema=lambda node: {"type": "number", **_bounds(node, "minimum", "maximum", float)},
    ),
    FieldKind(
        name="decimal", doc="an exact decimal, as a text in JSON unless the wire says number", example="10.50",
        is_numeric=True, is_ordered=True, operators=ORDER, constraints=frozenset({"min", "max", "digits", "places"}),
        column=_column("decimal"), parse=parse_decimal,
        schema=lambda node: {"type": "string", "pattern": decimal_pattern(node)},
    ),
    FieldKind(
        name="boolean", doc="true or false", example=True, operators=("eq", "ne", "null"),
        column=_column("boolean"), parse=_parse_boolean, schema=lambda node: {"type": "boolean"},
    ),
    FieldKind(
        name="date", doc="a calendar day, `YYYY-MM-DD`", example="2026-01-31", is_ordered=True, operators=ORDER,
        constraints=frozenset({"min", "max"}), column=_column("date"), parse=parse_date,
        schema=lambda node: {"type": "string", "format": "date"},
    ),
    FieldKind(
        name="time", doc="a time of day without a zone, `HH:MM:SS`", example="09:30:00", is_ordered=True, operators=ORDER,
        column=_column("time"), parse=parse_time,
        schema=lambda node: {"type": "string", "pattern": f"^{CLOCK.pattern}$"},
    ),
    FieldKind(
        name="datetime", doc="an instant, RFC 3339 in UTC", example="2026-01-31T12:00:00Z", is_ordered=True,
        operators=ORDER, column=_column("datetime"), parse=parse_instant,
        schema=lambda node: {"type": "string", "format": "date-time"},
    ),
    FieldKind(
        name="duration", doc="a length of time, ISO 8601 (`PT1H30M`) unless the wire says seconds or minutes",
        example="PT1H30M", is_ordered=True, operators=ORDER, column=_column("duration"),
        parse=lambda text, node: parse_duration(text), schema=lambda node: {"type": "string", "format": "duration"},
    ),
    FieldKind(
        name="uuid", doc="a UUID in canonical form", example="01890a5d-ac96-774b-bcce-b302099a8057",
        column=_column("uuid"), parse=parse_uuid,
        schema=lambda node: {"type": "string", "format": "uuid"},
    ),
    _text_kind("email", "an e-mail address", "ada@example.org", {"format": "email"}, "max"),
    _text_kind("url", "an absolute http or https address", "https://example.org/", {"format": "uri"}, "max"),
    FieldKind(
        name="enum", doc="one of the declared `values`", example=None, constraints=frozenset({"values"}),
        needs=frozenset({"values"}), operators=EQUALITY, column=_column("enum"),
        parse=_parse_enum, schema=lambda node: {"type": "string", "enum": list(node.values)},
    ),
    _file_kind("file", "a file, uploaded as multipart/form-data and stored beside the row"),
    _file_kind("image", "a picture, of which smaller ones can be made", "variants"),
    FieldKind(
        name="json", doc="any JSON document", example={"any": ["json"]}, operators=("null",), is_nested=True,
        column=_column("json"), parse=_parse_nested, schema=lambda node: {},
    ),
    FieldKind(
        name="list", doc="a list of values of one type", example=None, operators=("null",), is_nested=True,
        constraints=frozenset({"min", "max", "of"}), needs=frozenset({"of"}), column=_column("json"),
        parse=_parse_nested, schema=_list_schema,
    ),
    FieldKind(
        name="object", doc="a value with fields of its own", example=None, operators=("null",), is_nested=True,
        constraints=frozenset({"fields"}), needs=frozenset({"fields"}), column=_column("json"),
        parse=_parse_nested, schema=lambda node: {"type": "object"},
    ),
)  # fmt: skip

Kinds = Mapping[str, FieldKind]


def kinds(*registered: FieldKind) -> Kinds:
    """The built-in field types and those that plugins registered, by name."""
    return {kind.name: kind for kind in (*BUILT_IN, *registered)}


def vocabulary(known: Kinds) -> Vocabulary:
    """What the linker has to know of these field types."""
    words = {
        kind.name: TypeWords(
            kind.constraints,
            ordered=kind.is_ordered,
            text=kind.is_text,
            numeric=kind.is_numeric,
            file=kind.is_file,
            scalar=not kind.is_nested,
        )
        for kind in known.values()
    }
    return Vocabulary(words)
