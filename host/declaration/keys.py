"""The key of a resource and the fields that make it, as every layer above sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from host.declaration.nodes import Field, Relation, Resource, TypeRef

ID: Final = "id"
_HEX24: Final = "[0-9a-f]{24}"


def key_fields(resource: Resource) -> Mapping[str, Field | Relation]:
    """The fields of the key: `id`, which is not among `resource.fields`, or the declared ones that are the key."""
    if isinstance(resource.key, tuple):
        declared = _declared(resource)
        return {name: declared[name] for name in resource.key if name in declared}
    return {ID: generated_key(resource.key, resource.stored)}


def generated_key(kind: str, stored: Literal["host", "django"] = "host") -> Field:
    """The field `id` of a resource whose `key` is a kind, not fields of its own."""
    made = _GENERATED[kind]
    return made if made.stored == stored else replace(made, stored=stored)


def attributes(resource: Resource) -> Mapping[str, Field | Relation]:
    """Everything that a row of a linked resource has, by name: key, fields and relations."""
    return {**key_fields(resource), **_declared(resource)}


def _declared(resource: Resource) -> dict[str, Field | Relation]:
    items: list[tuple[str, Field | Relation]] = [*resource.fields.items(), *resource.relations.items()]
    return dict(items)


def _generated(kind: str, **more: object) -> Field:
    return Field(type=TypeRef(kind), required=True, nullable=False, column=ID, doc="the row's key", **more)  # type: ignore[arg-type]


_GENERATED: Final[Mapping[str, Field]] = {
    "uuid7": _generated("uuid", set="server"),
    "uuid4": _generated("uuid", set="server"),
    "int": _generated("integer", set="server"),
    "hex24": _generated("string", set="server", min=24, max=24, pattern=_HEX24),
    "string": replace(
        _generated("string", set="once", min=1, max=255), doc="the row's key, given by the caller"
    ),
}
