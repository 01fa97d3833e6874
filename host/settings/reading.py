"""Settings out of environment variables, by the annotations of a frozen dataclass: one field, one variable.

`site` reads every group with it. A wrong value is a ConfigurationError that names the variable and says what it has to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, field, fields
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from host.errors import ConfigurationError

PREFIX: Final = "HOSTWRIGHT_"
Group = TypeVar("Group")
_UNITS: Final = {"": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_SIZE = re.compile(r"([0-9]{1,12})(KB|MB|GB|)")


class Refused(Exception):
    """A text that is not what a setting takes; the message says what it has to be."""


def setting(
    default: Any,
    variable: str,
    *,
    kind: Literal["size"] | None = None,
    secret: bool = False,
    parse: Callable[[str], Any] | None = None,
) -> Any:
    """A field that is read from `HOSTWRIGHT_<variable>`. A `size` may be written as `10MB`; a secret has no `repr`.

    The annotation says what is taken: `int` a whole number above 0, `bool` on or off, `str`, `Literal` one of its words,
    `tuple[str, ...]` words with commas between them; `| None` where leaving it out means something of its own. What
    takes another form is read by `parse`, which raises Refused.
    """
    return field(
        default=default,
        repr=not secret,
        metadata={"variable": PREFIX + variable, "kind": kind, "secret": secret, "parse": parse},
    )


def read_group(group: type[Group], given: Mapping[str, str], **others: Any) -> Group:
    """The group out of the environment; an empty variable counts as none. `others` are its fields that have no variable."""
    hints = get_type_hints(group)
    values = dict(others)
    for item in fields(group):  # type: ignore[arg-type]  # groups are dataclasses
        variable = item.metadata.get("variable")
        if variable is not None and given.get(variable):
            values[item.name] = _read(item, hints[item.name], variable, given[variable])
    return group(**values)


def variables_of(group: type[Any]) -> list[str]:
    """The variables that a group is read from."""
    return [item.metadata["variable"] for item in fields(group) if "variable" in item.metadata]


def _read(item: Field[Any], hint: Any, variable: str, text: str) -> Any:
    try:
        return _parser(item, hint)(text)
    except Refused as refused:
        shown = "set to a value" if item.metadata["secret"] else repr(text)
        raise ConfigurationError(f"{variable} is {shown}; it has to be {refused}") from None


def _parser(item: Field[Any], hint: Any) -> Callable[[str], Any]:
    own: Callable[[str], Any] | None = item.metadata["parse"]
    if own is not None:
        return own
    if get_origin(hint) in (Union, UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is Literal:
        return lambda text: _choice(text, get_args(hint))
    if get_origin(hint) is tuple:
        return lambda text: tuple(word for word in (part.strip() for part in text.split(",")) if word)
    if hint is int and item.metadata["kind"] == "size":
        return _size
    parsers: dict[Any, Callable[[str], Any]] = {int: _number, bool: _flag, str: str}
    return parsers[hint]


def _choice(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise Refused(" or ".join(words))
    return text


def _flag(text: str) -> bool:
    return _choice(text, ("on", "off")) == "on"


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise Refused("a whole number above 0")
    return int(text)


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise Refused("a number of bytes above 0, also written as 10MB")
    return int(match[1]) * _UNITS[match[2]]
