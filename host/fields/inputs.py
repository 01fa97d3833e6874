"""Marshmallow fields of the field types: the one input layer, strict where the stack's defaults answer 500.

NUL and lone surrogates are refused in every text, numbers are bounded, booleans are not numbers, lengths come from the
column. Loaded values are native Python ones, except that UUIDs are canonical texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow import validate

from host.declaration.nodes import Field, WireValues
from host.fields.durations import parse_duration
from host.fields.files import Uploaded
from host.fields.forms import EPOCHS
from host.fields.kinds import (
    BIGGEST_INTEGER,
    decimal_pattern,
    longest,
    parse_date,
    parse_decimal,
    parse_instant,
    parse_time,
    parse_uuid,
)

EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f-\x9f\ufeff]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*"
)
JSON_DEPTH = 32
LONGEST_SPOKEN = 100  # characters of a pattern that a message repeats
OUT_OF_RANGE = "out of range"
NOISE = Decimal("3e-16")  # of a double that was computed, relative to it


def check_text(value: Any) -> str:
    """The value if it is a text that every database can hold."""
    if not isinstance(value, str):
        raise ma.ValidationError("expected a text")
    if "\x00" in value:
        raise ma.ValidationError("NUL characters are not allowed")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ma.ValidationError("the text is not valid Unicode: it has a lone surrogate") from None
    return value


class Text(ma.fields.String):
    """Any text within its length."""

    def __init__(self, *, trim: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.trim = trim

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        text = check_text(value)
        return text.strip() if self.trim else text


class Email(Text):
    """An e-mail address; kept as written, compared by the database as declared."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if len(text) > 254 or EMAIL.fullmatch(text) is None:
            raise ma.ValidationError("not an e-mail address")
        return text


class Url(Text):
    """An absolute http(s) address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            parts = urlsplit(text)
            is_good = (
                parts.scheme in ("http", "https")
                and bool(parts.hostname)
                and re.search(r"[\s<>\"{}|\\^`]", text) is None
            )
        except ValueError:
            is_good = False
        if not is_good:
            raise ma.ValidationError("not an absolute http or https address")
        return text


class Whole(ma.fields.Integer):
    """A whole number of 64 bits; 5.0 is one (as in JSON Schema), true is not."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value
            or value in (math.inf, -math.inf)
        ):
            raise ma.ValidationError("expected a whole number")
        if int(value) != value:
            raise ma.ValidationError("expected a whole number")
        if abs(value) > BIGGEST_INTEGER:
            raise ma.ValidationError("outside of 64 bits")
        return int(value)


class Number(ma.fields.Float):
    """A finite double."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ma.ValidationError("expected a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ma.ValidationError("expected a finite number")
        return number


class Money(ma.fields.Field[Decimal]):
    """An exact decimal, given as text or as JSON number.

    Clients compute `0.1 * 3`, and the binary noise of their floats is not worth an error. Where decimals are JSON numbers
    outside (`rounds`), a float with more places is rounded half up.
    """

    def __init__(self, node: Field, *, rounds: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.node, self.rounds = node, rounds

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise ma.ValidationError("expected a decimal number")
        if isinstance(value, str):
            check_text(value)
            if re.fullmatch(decimal_pattern(self.node), value) is None:
                return _decimal_or_fail("", self.node)
        if isinstance(value, float) and math.isfinite(value) and abs(value) < 10**15:
            exact = Decimal(repr(value))
            rounded = exact.quantize(Decimal(1).scaleb(-self.node.places), ROUND_HALF_UP)
            value = rounded if self.rounds or abs(rounded - exact) <= NOISE * abs(exact) else exact
        return _decimal_or_fail(repr(value) if isinstance(value, float) else str(value), self.node)


def _decimal_or_fail(text: str, node: Field) -> Decimal:
    try:
        return parse_decimal(text, node)
    except ValueError as error:
        raise ma.ValidationError(f"expected {error}") from None


class Truth(ma.fields.Boolean):
    """true or false, not 0 or 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ma.ValidationError("expected true or false")
        return value


class Parsed(ma.fields.Field[Any]):
    """A text with a form: date, time, instant, duration, UUID. `parse` raises ValueError with what is expected."""

    def __init__(self, parse: Callable[[Any], Any], **options: Any) -> None:
        super().__init__(**options)
        self.parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        try:
            return self.parse(value)
        except ValueError as error:
            raise ma.ValidationError(f"expected {error}") from None


class Anything(ma.fields.Field[Any]):
    """A JSON document of bounded depth whose texts are sound."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        check_document(value, JSON_DEPTH)
        return value


def check_document(value: Any, depth: int = JSON_DEPTH) -> None:
    """Raise ValidationError for a JSON document that some database cannot hold, or that is nested too deep."""
    if depth == 0:
        raise ma.ValidationError(f"nested deeper than {JSON_DEPTH}")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, list):
        for item in value:
            check_document(item, depth - 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_text(key)
            check_document(item, depth - 1)


class FileInput(ma.fields.Field[Uploaded]):
    """An uploaded file; null where the field may be empty. JSON cannot hold one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Uploaded:
        if not isinstance(value, Uploaded):
            raise ma.ValidationError("expected a file: send it as a part of multipart/form-data, or null")
        return value


# --- one maker for each field type ------------------------------------------------------------------------------------


def text_parser(parse: Callable[[str, Field], Any], node: Field) -> Callable[[Any], Any]:
    """A parser of JSON values out of one of texts."""

    def parse_value(value: Any) -> Any:
        return parse(check_text(value), node)

    return parse_value


def _lenient_date(value: Any) -> date:
    text = check_text(value)
    if "T" not in text:
        return parse_date(text, Field(type="date"))
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise ValueError("a date, YYYY-MM-DD, or an instant") from None


def _lenient_instant(values: WireValues) -> Callable[[Any], datetime]:
    zone = ZoneInfo(values.naive) if values.naive else None

    def parse(value: Any) -> datetime:
        if isinstance(value, int | float) and not isinstance(value, bool) and values.datetime in EPOCHS:
            return _from_epoch(value / 1000 if values.datetime == "epoch_ms" else value)
        text = check_text(value)
        if values.lenient_dates and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            text += "T00:00:00Z"
        if zone is not None and re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", text):
            try:
                return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
            except (ValueError, OverflowError):
                raise ValueError("an instant, e.g. 2026-01-31T12:00:00") from None
        return parse_instant(text, Field(type="datetime"))

    return parse


def _from_epoch(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("seconds since 1970 within the calendar") from None


def _duration_parser(unit: str) -> Callable[[Any], timedelta]:
    def parse(value: Any) -> timedelta:
        if unit == "iso":
            return parse_duration(check_text(value))
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**10:
            raise ValueError(f"a number of {unit}")
        return timedelta(**{unit: value})

    return parse


Maker = Callable[..., ma.fields.Field[Any]]


def _parsed(parser: Callable[[Field, WireValues], Callable[[Any], Any]]) -> Maker:
    return lambda node, values, **options: Parsed(parser(node, values), **options)


_MAKERS: Mapping[str, Maker] = {
    "string": lambda node, values, **options: Text(trim=node.trim, **options),
    "text": lambda node, values, **options: Text(trim=node.trim, **options),
    "email": lambda node, values, **options: Email(**options),
    "url": lambda node, values, **options: Url(**options),
    "integer": lambda node, values, **options: Whole(**options),
    "float": lambda node, values, **options: Number(**options),
    "decimal": lambda node, values, **options: Money(node, rounds=values.decimal == "number", **options),
    "boolean": lambda node, values, **options: Truth(**options),
    "enum": lambda node, values, **options: Text(**options),
    "date": _parsed(
        lambda node, values: _lenient_date if values.lenient_dates else text_parser(parse_date, node)
    ),
    "time": _parsed(lambda node, values: text_parser(parse_time, node)),
    "datetime": _parsed(lambda node, values: _lenient_instant(values)),
    "duration": _parsed(lambda node, values: _duration_parser(values.duration)),
    "uuid": _parsed(lambda node, values: text_parser(parse_uuid, node)),
    "file": lambda node, values, **options: FileInput(**options),
    "image": lambda node, values, **options: FileInput(**options),
}


def input_field(node: Field, values: WireValues, **options: Any) -> ma.fields.Field[Any]:
    """The marshmallow field of a scalar field type in a wire's form; `options` are marshmallow's own."""
    options["validate"] = [*options.get("validate", ()), *_validators(node)]
    make = _MAKERS.get(node.type)
    return make(node, values, **options) if make is not None else Anything(**options)


def _spoken(node: Field) -> str:
    """What is wrong with a text that does not match; a pattern that nobody can read is told by the example."""
    if len(node.pattern or "") <= LONGEST_SPOKEN or node.example is None:
        return f"does not match {node.pattern}"
    return f"is none of the texts that are taken, such as {node.example}"


def _validators(node: Field) -> list[Callable[[Any], Any]]:
    if node.type in ("string", "text", "email", "url"):
        found: list[Callable[[Any], Any]] = [validate.Length(min=node.min, max=longest(node))]
        if node.pattern:
            form, wanted = re.compile(node.pattern), _spoken(node)
            found.append(lambda text: form.fullmatch(text) is not None or _refuse(wanted))
        return found
    if node.type == "enum":
        return [validate.OneOf(node.values, error=f"not one of {', '.join(node.values)}")]
    if node.type == "list":
        return [validate.Length(min=node.min, max=node.max)] if (node.min, node.max) != (None, None) else []
    if (node.min is None and node.max is None) or node.type in ("file", "image"):
        return []
    low, high = (bound(node, value) for value in (node.min, node.max))
    said = [f"{word} {limit}" for word, limit in (("at least", low), ("at most", high)) if limit is not None]
    return [validate.Range(min=low, max=high, error=f"{OUT_OF_RANGE}: {', '.join(said)}")]


def bound(node: Field, value: Any) -> Any:
    """A declared `min` or `max` as a value of the field's type."""
    if value is None:
        return None
    if node.type == "decimal":
        return Decimal(str(value))
    return parse_date(str(value), node) if node.type == "date" else value


def _refuse(message: str) -> bool:
    raise ma.ValidationError(message)
