"""How one value of YAML becomes a value of one annotation, or a problem: the parts that the binder is made of.

A shape is a function `(value, place, path, problems) -> value`; where the value is wrong it notes the problem and answers
`INVALID`. The binder (`binder`) builds one for each annotation of the grammar, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from host.declaration.forms import Form, is_reserved
from host.declaration.problems import Place, Problems, did_you_mean

# What a shape takes and gives is as wide as YAML itself, hence Any.
Shape = Callable[[Any, Place, str, Problems], Any]


class Invalid:
    """The one value that stands for a value with a problem."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = Invalid()
_KINDS: Final[Mapping[object, str]] = {bool: "true or false", int: "a whole number", str: "a text"}


def found(value: object) -> str:
    """What a value is, in the words of the language."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"


def mismatch(expected: str, value: object, place: Place, path: str, problems: Problems) -> Invalid:
    """Note that a value is of another type than it should be."""
    advice = ": quote it" if expected == "a text" and isinstance(value, (bool, int, float)) else ""
    problems.add("wrong_type", place, path, f"expected {expected}, found {found(value)}{advice}")
    return INVALID


def anything(value: Any, place: Place, path: str, problems: Problems) -> Any:
    """`Any`: taken as it is."""
    return value


def plain(kind: type) -> Shape:
    """`str`, `int`, `bool`."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        if type(value) is kind:
            return value
        return mismatch(_KINDS[kind], value, place, path, problems)

    return bind


def formed(form: Form, *, reserves: bool) -> Shape:
    """A text of a certain form; a wrong one is kept, so that what refers to it is not a problem too."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        if type(value) is not str:
            return mismatch(form.says, value, place, path, problems)
        if not form.fits(value):
            problems.add("bad_form", place, path, f'"{value[:60]}" is not {form.says}')
        elif reserves and is_reserved(value):
            problems.add(
                "reserved_name", place, path, f'"{value}" has a meaning in expressions and cannot be a name'
            )
        return value

    return bind


def one_of(values: tuple[Any, ...]) -> Shape:
    """`Literal[...]`."""
    words = [str(value) for value in values]

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        if value in values and type(value) in (str, int):
            return value
        if isinstance(value, (dict, list)) or value is None:
            return mismatch(f"one of {', '.join(words)}", value, place, path, problems)
        near = did_you_mean(str(value), words) or f"; expected {', '.join(words)}"
        problems.add("unknown_value", place, path, f'unknown value "{value}"{near}')
        return INVALID

    return bind


def optional(shape: Shape) -> Shape:
    """`X | None`: nothing is a value."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        return None if value is None else shape(value, place, path, problems)

    return bind


def listed(item: Shape) -> Shape:
    """`tuple[X, ...]`; a scalar alone is a list of one."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        if type(value) is not list:
            if isinstance(value, dict) or value is None:
                return mismatch("a list", value, place, path, problems)
            one = item(value, place, path, problems)
            return () if one is INVALID else (one,)
        keys = place.keys
        bound = [item(it, keys[str(at)], f"{path}[{at}]", problems) for at, it in enumerate(value)]
        return tuple(it for it in bound if it is not INVALID)

    return bind


def word_or_list(word: Shape, several: Shape) -> Shape:
    """`Literal[...] | tuple[X, ...]`."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        return (several if type(value) is list else word)(value, place, path, problems)

    return bind


def mapped(key: Shape, item: Shape) -> Shape:
    """`Mapping[K, X]`."""

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        if type(value) is not dict:
            return mismatch("a mapping", value, place, path, problems)
        bound: dict[str, Any] = {}
        for name, below in value.items():
            inner = f"{path}.{name}" if path else name
            if key(name, place.names[name], inner, problems) is INVALID:
                continue
            bound[name] = item(below, place.keys[name], inner, problems)
        return {name: it for name, it in bound.items() if it is not INVALID}

    return bind
