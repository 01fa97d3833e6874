"""What a plain (unquoted) scalar means: YAML 1.2 core, and nothing that YAML 1.1 reads differently.

The reader (`source`) calls `resolve` for every plain scalar. A text such as `on`, `012` or `12:30` means one thing to
one parser and another to the next, so it is refused with the advice to quote it.
"""

from __future__ import annotations

import re
from typing import Any

WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
SWITCHES = frozenset(
    form for word in ("y", "n", "yes", "no", "on", "off") for form in (word, word.capitalize(), word.upper())
)
MAX_DIGITS = 40

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# A number, a time or a date for one version of YAML, a text or another number for the other.
_NUMBER_ELSEWHERE = re.compile(
    r"[-+]?0[0-7_]+|[-+]?0[0-9]+|0o[0-7]+|[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*|[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"
)


class Ambiguous(ValueError):
    """YAML 1.1 and 1.2 read this scalar differently."""


class NotANumber(ValueError):
    """A number that JSON cannot carry: infinite, not a number, or with too many digits."""


def resolve(text: str) -> Any:  # null, boolean, number or text
    """The value of a plain scalar."""
    if text in WORDS:
        return WORDS[text]
    if text in SWITCHES or text == "=":
        raise Ambiguous(text)
    if text[0] not in "+-.0123456789":
        return text
    return _number(text)


def _number(text: str) -> int | float | str:
    is_number = _INTEGER.fullmatch(text) or _HEXADECIMAL.fullmatch(text) or _FLOAT.fullmatch(text)
    if _NOT_FINITE.fullmatch(text) or (is_number and len(text) > MAX_DIGITS):
        raise NotANumber(text)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if is_number:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise NotANumber(text)
        return value
    if text not in (".", "+.", "-.") and _NUMBER_ELSEWHERE.fullmatch(text):
        raise Ambiguous(text)
    return text
