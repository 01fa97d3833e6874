"""How the writes of one resource are noted in the audit log: which fields, which are masked, which are cut. `journal` asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from host.compiler.models import Model
from host.declaration.nodes import Field
from host.events.forms import json_text

MASKED: Final = "***"
NESTED: Final = ("json", "list", "object")
SHORT: Final = (
    "integer", "float", "decimal", "boolean", "date", "time", "datetime", "duration", "uuid", "enum", "email", "url",
)  # fmt: skip
Changes = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Watch:
    """How the writes of one resource are noted."""

    names: frozenset[str] | None  # of the fields, where not all
    masked: frozenset[str]
    long: frozenset[str]  # fields whose values may have to be cut
    longest: int
    has_values: bool

    @classmethod
    def of(cls, model: Model, longest: int) -> Watch:
        """As the resource declares it."""
        declared, attributes = model.declared.audit, model.attributes.items()
        names = frozenset(declared.fields) if declared.fields else None
        masked = frozenset(name for name, it in attributes if it.field.secret)
        long = frozenset(name for name, it in attributes if _may_be_long(it.field, longest))
        return cls(names, masked, (long | model.links.keys()) - masked, longest, declared.values)

    def wanted(self, changes: Changes) -> Changes:
        """The changes of the fields that are noted."""
        if self.names is None:
            return changes
        return {name: pair for name, pair in changes.items() if name in self.names}

    def text(self, changes: Changes) -> str:
        """The changes as the JSON that is stored: no secret in it, nothing long, nothing that no database takes."""
        if not self.has_values:
            return orjson.dumps(dict.fromkeys(changes)).decode()
        for name in self.masked & changes.keys():
            changes[name] = [None if value is None else MASKED for value in changes[name]]
        for name in self.long & changes.keys():
            changes[name] = [_cut(value, self.longest) for value in changes[name]]
        return json_text(changes)


def _cut(value: Any, longest: int) -> Any:
    if value is None:
        return None
    text = value if isinstance(value, str) else json_text(value)
    return value if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _may_be_long(field: Field, longest: int) -> bool:
    is_short = isinstance(field.max, int) and field.max <= longest
    return field.type in NESTED or not (is_short or field.type in SHORT)
