"""Values in the JSON that is stored of events and audit entries, and as Python's own again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from host.compiler.models import Model
from host.compiler.readers import converter
from host.declaration.nodes import Field
from host.fields.columns import json_value
from host.fields.forms import NATIVE
from host.fields.kinds import Kinds

OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
Convert = Callable[[Any], Any]


def json_text(value: Any) -> str:
    """The JSON that is stored."""
    return orjson.dumps(value, _plain, OPTIONS).decode()


def plain(value: Any) -> Any:
    """A value as it comes back out of the JSON that is stored."""
    return orjson.loads(orjson.dumps(value, _plain, OPTIONS))


def _plain(value: Any) -> Any:
    """Values of field types that plugins registered are told as texts."""
    try:
        return json_value(value)
    except TypeError:
        return str(value)


def natives_of(model: Model, kinds: Kinds) -> Mapping[str, Convert]:
    """For each attribute of a model, what makes Python's own value out of the stored JSON."""
    fields = {name: it.field for name, it in model.attributes.items()}
    return natives(fields, kinds)


def natives(fields: Mapping[str, Field], kinds: Kinds) -> Mapping[str, Convert]:
    """For each of these fields, what makes Python's own value out of JSON."""
    return {str(name): converter(field, kinds, NATIVE, "json") for name, field in fields.items()}


def native_changes(changes: Mapping[str, Any], found: Mapping[str, Convert]) -> dict[str, list[Any]]:
    """Changes as they were stored, with Python's own values. Fields that are no longer declared stay as they are."""
    return {
        name: [convert(value) for value in pair] if (convert := found.get(name)) is not None else pair
        for name, pair in changes.items()
    }
