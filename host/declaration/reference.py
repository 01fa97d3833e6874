"""The tables of the language reference, out of the same dataclasses that the binder uses.

A document holds them between `<!-- table: Field -->` and `<!-- end -->`; `fill` writes them anew, and a test compares, so
that the reference cannot drift from the grammar.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from host.declaration import nodes

_BLOCK: Final = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS: Final[Mapping[Any, str]] = {
    str: "text", int: "whole number", bool: "true or false", Any: "any value", nodes.Name: "name", nodes.Key: "key",
    nodes.Expression: "expression", nodes.CallRef: "function", nodes.TypeRef: "type", nodes.ResourceRef: "resource",
    nodes.JobRef: "job", nodes.WireRef: "name of a wire", nodes.RateText: "rate, as `10/minute`",
    nodes.PathTemplate: "path", nodes.FieldRef: "field", nodes.SortRef: "field, `-` in front for descending",
    nodes.AnyOf: "rule, or list of rules",
}  # fmt: skip


def constructs() -> dict[str, type[nodes.Node]]:
    """Every construct of the grammar by its name, outermost first."""
    found: dict[str, type[nodes.Node]] = {}
    for root in (nodes.Site, nodes.Declarations, nodes.Manifest):
        _collect(root, found)
    return found


def tables() -> dict[str, str]:
    """The table of each construct, by its name."""
    return {name: _table(kind) for name, kind in constructs().items()}


def fill(document: str, tables: Mapping[str, str]) -> str:
    """A document with its tables written anew. KeyError for a table that nobody makes."""
    return _BLOCK.sub(lambda block: f"{block[1]}{tables[block[2]]}\n{block[3]}", document)


def named_in(document: str) -> list[str]:
    """The tables that a document asks for."""
    return [block[2] for block in _BLOCK.finditer(document)]


def _collect(kind: type[nodes.Node], found: dict[str, type[nodes.Node]]) -> None:
    if kind.__name__ in found:
        return
    found[kind.__name__] = kind
    for hint in get_type_hints(kind).values():
        for inner in _constructs_in(hint):
            _collect(inner, found)


def _constructs_in(hint: Any) -> list[type[nodes.Node]]:
    if isinstance(hint, type) and issubclass(hint, nodes.Node):
        return [hint]
    return [kind for it in get_args(hint) for kind in _constructs_in(it)]


def _table(kind: type[nodes.Node]) -> str:
    hints = get_type_hints(kind)
    rows = ["| Key | Value | Default | Meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(kind):
        if "doc" in field.metadata:
            key = field.metadata.get("alias", field.name)
            cells = (f"`{key}`", _value(hints[field.name]), _default(field), field.metadata["doc"])
            rows.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    if kind.SHORT:
        key = next(
            it.metadata.get("alias", it.name) for it in dataclasses.fields(kind) if it.name == kind.SHORT
        )
        rows.append(f"\nShort form: the value of `{key}` alone.")
    return "\n".join(rows)


def _value(hint: Any) -> str:
    """What stands at a key, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _WORDS:
        return _WORDS[hint]
    if origin is Literal:
        return ", ".join(f"`{it}`" for it in arguments)
    if origin is tuple:
        return f"list of: {_value(arguments[0])}"
    if origin in (Union, UnionType):
        return " or ".join(_value(it) for it in arguments if it is not NoneType)
    if origin is not None and issubclass(origin, Mapping):
        inner = "mapping" if get_origin(arguments[1]) is Mapping else _value(arguments[1])
        return f"{inner} by {_value(arguments[0])}"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "" if field.default_factory is not dataclasses.MISSING else "**required**"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, tuple) and field.default:
        return "all"
    return f"`{field.default}`" if isinstance(field.default, (str, int)) and field.default != "" else ""
