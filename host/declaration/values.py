"""Whether a value written in YAML (a default, a limit, a setting, a constant of a rule) fits a built-in field type.

The linker asks; types that plugins add are not judged here.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from host.declaration.nodes import Field

NUMBERS: Final = frozenset(("integer", "float", "decimal"))
TEXTS: Final = frozenset(("string", "text", "email", "url", "enum", "uuid"))
_DURATION = re.compile(r"-?P(?=.)(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


def fault(field: Field, value: Any) -> str | None:  # whatever YAML can hold
    """What is wrong with a value for a linked field, in words; None when it fits."""
    if field.type == "enum":
        return None if value in field.values else f"is not one of {', '.join(field.values)}"
    if field.type == "list":
        return _list_fault(field, value)
    if field.type == "object":
        return _object_fault(field, value)
    says, fits = _FITS.get(field.type, ("", lambda it: True))
    return None if fits(value) else f"is not {says}"


def shown(value: object) -> str:
    """A value as problems show it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def compared(field: Field, value: Any) -> Any:  # numbers as Decimal, texts as they are
    """A value that fits, in a form in which two of them can be compared."""
    return Decimal(str(value)) if field.type in NUMBERS else value


def _list_fault(field: Field, value: Any) -> str | None:
    if not isinstance(value, list):
        return "is not a list"
    if field.of is None:
        return None
    wrong = next(((it, why) for it in value if (why := fault(field.of, it))), None)
    return f"holds {shown(wrong[0])}, which {wrong[1]}" if wrong else None


def _object_fault(field: Field, value: Any) -> str | None:
    if not isinstance(value, dict):
        return "is not a mapping"
    for name, below in value.items():
        if name not in field.fields:
            return f'has no field "{name}"'
        if below is not None and (why := fault(field.fields[name], below)):
            return f"holds {name} {shown(below)}, which {why}"
    missing = [name for name, it in field.fields.items() if it.required and name not in value]
    return f'lacks the field "{missing[0]}"' if missing else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_decimal(value: object) -> bool:
    if _is_number(value):
        return True
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _parses(parse: Callable[[str], object]) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        try:
            return isinstance(value, str) and parse(value) is not None
        except ValueError:
            return False

    return fits


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_FITS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "string": ("a text", _is_text),
    "text": ("a text", _is_text),
    "url": ("a text", _is_text),
    "email": ("an e-mail address", lambda it: _is_text(it) and "@" in it),
    "uuid": ("a UUID", _parses(uuid.UUID)),
    "integer": ("a whole number", _is_integer),
    "float": ("a number", _is_number),
    "decimal": ("a decimal number", _is_decimal),
    "boolean": ("true or false", lambda it: isinstance(it, bool)),
    "date": ("a date such as 2026-01-31", _parses(datetime.date.fromisoformat)),
    "time": ("a time such as 09:30", _parses(datetime.time.fromisoformat)),
    "datetime": ("an instant such as 2026-01-31T09:30:00Z", _parses(datetime.datetime.fromisoformat)),
    "duration": ("an ISO 8601 duration such as PT1H30M", _parses(_DURATION.fullmatch)),
}
