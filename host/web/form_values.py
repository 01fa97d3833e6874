"""The texts of a form as the JSON values that a wire's schemas take: numbers, truths, lists and documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from host.compiler.models import Attribute, Link
from host.compiler.schemas import writable
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.fields.kinds import Kinds


def values_of(form: Mapping[str, Any], wire: CompiledWire, kinds: Kinds, *, updating: bool) -> dict[str, Any]:
    """Every part under its outer name. What nobody declared is left as it is, for the schema to refuse."""
    nodes = writable(wire, updating=updating)
    found = {}
    for outer, given in form.items():
        node = nodes.get(wire.inner.get(outer, outer))
        found[outer] = _value(given, node, kinds) if isinstance(given, list) else given
    return found


def _value(texts: list[str], node: Attribute | Field | Link | None, kinds: Kinds) -> Any:
    if isinstance(node, Link):
        return _listed(texts, node.key, kinds)
    field = node.field if isinstance(node, Attribute) else node
    if field is None:
        return texts[-1]
    if field.type == "list":
        return _listed(texts, field.of, kinds)
    return _single(texts[-1], field, kinds)


def _listed(texts: list[str], item: Field | None, kinds: Kinds) -> Any:
    """A JSON array, or the part as often as there are items."""
    if len(texts) == 1 and texts[0].lstrip().startswith("["):
        return _json(texts[0])
    texts = [text for text in texts if text != ""]
    return [_single(text, item, kinds) for text in texts] if item is not None else texts


def _single(text: str, field: Field, kinds: Kinds) -> Any:
    kind = kinds[field.type]
    if text == "" and not kind.is_text:
        return None
    is_typed = kind.is_nested or kind.is_numeric or field.type == "boolean"
    is_number = field.type in ("datetime", "duration") and text.lstrip("-").isdecimal()
    return _json(text) if is_typed or is_number else text


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text  # the schema says what it has to be
