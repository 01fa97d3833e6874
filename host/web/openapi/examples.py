"""Example values, made the same way everywhere: the declared one, else the default, else the field type's own."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import orjson

from host.compiler.readers import converter
from host.declaration.nodes import Field
from host.fields.kinds import Kinds, longest
from host.web.http import JSON_OPTIONS
from host.web.openapi.styles import Style

CONVERTED = ("decimal", "datetime", "duration")  # whose outer form a wire decides
FILES = ("file", "image")


def example_of(node: Field, kinds: Kinds, style: Style) -> Any:
    """A value that the field's schema accepts, in the wire's form; None where none can be made up."""
    if node.type == "list":
        inner = example_of(node.of, kinds, style) if node.of is not None else None
        return node.example if node.example is not None else _listed(node, inner)
    if node.type == "object":
        return node.example if node.example is not None else example_object(node, kinds, style)
    if node.type in FILES:
        return None if style.is_taken else _stored_file(node, style)
    value = _bounded(node, _plain(node, kinds))
    if value is None or node.type not in CONVERTED:
        return value
    kind = kinds[node.type]
    native = kind.parse(str(value), node)
    return orjson.loads(orjson.dumps(converter(node, kinds, style.form)(native), option=JSON_OPTIONS))


def _stored_file(node: Field, style: Style) -> Any:
    """A file as answers show it; what is taken is no JSON."""
    name, media = ("photo.png", "image/png") if node.type == "image" else ("report.pdf", "application/pdf")
    if style.file != "object":
        return f"/files/{name}" if style.file == "url" else f"{node.folder or 'files'}/{name}"
    return {"url": f"/files/{name}", "name": name, "size": 48213, "type": media}


def example_object(node: Field, kinds: Kinds, style: Style) -> dict[str, Any]:
    """An example of every field that has one."""
    found = {name: example_of(field, kinds, style) for name, field in node.fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _listed(node: Field, inner: Any) -> list[Any] | None:
    if inner is None:
        return None if node.min else []
    return [inner] * max(1, int(node.min or 1))


def _plain(node: Field, kinds: Kinds) -> Any:
    if node.example is not None:
        return node.example
    if node.counter is not None and node.type in ("string", "text"):
        return node.counter.format.format(n=node.counter.start)
    if node.random is not None:
        return (node.random.letters * node.random.length)[: node.random.length]
    if node.default is not None:
        return node.default
    return node.values[0] if node.values else kinds[node.type].example


def _bounded(node: Field, value: Any) -> Any:
    """The value moved into the declared bounds."""
    if isinstance(value, str) and node.type not in (*CONVERTED, "date", "time", "uuid", "enum"):
        return _fitting(node, value)
    if node.type in ("integer", "float", "decimal") and not isinstance(value, bool):
        number = Decimal(str(value))
        low, high = (None if limit is None else Decimal(str(limit)) for limit in (node.min, node.max))
        if node.type == "decimal":
            high = min(high or Decimal(10) ** 15, Decimal(10) ** (node.digits - node.places) - 1)
        number = max(number, low) if low is not None else number
        number = min(number, high) if high is not None else number
        if node.type == "decimal":
            return str(number.quantize(Decimal(1).scaleb(-node.places)))
        return int(number) if node.type == "integer" else float(number)
    if node.type == "date":
        return (
            str(max(str(value), str(node.min or "")))
            if node.max is None
            else str(min(str(value), str(node.max)))
        )
    return value


def _fitting(node: Field, text: str) -> str | None:
    """The text within its length and pattern, if a simple one is."""
    least, most = int(node.min or 0), longest(node)
    candidates = [
        text if len(text) >= least else text.ljust(least, "x"),
        ("0123456789abcdef" * (most // 16 + 1))[:most],
    ]
    for candidate in candidates:
        cut = candidate[:most]
        if node.pattern is None or re.fullmatch(node.pattern, cut):
            return cut
    return None
