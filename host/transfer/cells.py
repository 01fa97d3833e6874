"""Values as cells of a CSV file, and back without loss: the empty cell is null, and no cell is a spreadsheet's formula.

A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, TAB, CR or LF), and the empty text,
get an apostrophe in front; reading takes it away again. So does a text that already looks as if it had been guarded.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any, Final

import orjson

from host.declaration.nodes import Field
from host.fields.forms import EPOCHS, Form
from host.fields.kinds import Kinds

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_GUARDED: Final = (*FORMULA, "'")
_NUMBER: Final = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?")
OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS


class NotACell(ValueError):
    """The text of a cell is not a value of its column; says what was expected."""


def guarded(text: str) -> str:
    """The text as a cell that reads back as the same text and that no spreadsheet runs."""
    if text == "" or text[0] in FORMULA or _looks_guarded(text):
        return text if _NUMBER.fullmatch(text) else f"'{text}"
    return text


def unguarded(cell: str) -> str:
    """The text that a cell holds."""
    return cell[1:] if _looks_guarded(cell) else cell


def _looks_guarded(text: str) -> bool:
    return text[:1] == "'" and (len(text) == 1 or text[1] in _GUARDED)


def cell(value: Any) -> str:
    """A value of an answered row as a cell; what has parts, as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = orjson.dumps(value, option=OPTIONS).decode()
    if isinstance(value, date | time):
        return text.strip('"')
    return guarded(text) if text != "null" else ""


def read_cell(text: str, field: Field, kinds: Kinds, form: Form) -> Any:
    """A cell as the JSON value that the field takes. NotACell says what is expected; the rest is the schema's to check."""
    kind = kinds[field.type]
    if kind.is_nested:
        return _document(unguarded(text))
    match kind.like or field.type:
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        case "integer" | "float":
            return _number(text)
        case "datetime" if form.datetime in EPOCHS:
            return _number(text)
        case "duration" if form.duration != "iso":
            return _number(text)
    return unguarded(text)


def _number(text: str) -> Any:
    """The number, or the text itself where it is none."""
    if _NUMBER.fullmatch(text) is None:
        return text
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _document(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError):
        raise NotACell("a JSON document") from None
