"""Mixins become ordinary fields and relations of the resource, so that no layer above has to know how they are made.

What they *do* (filling the owner, stamping, hiding deleted rows, counting versions) the layers above read from
`resource.mixins`, which stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from host.declaration.nodes import Field, Name, Relation, Resource, ResourceRef, TypeRef
from host.declaration.problems import Place
from host.declaration.workspace import ACCOUNT


def made_by_mixins(resource: Resource) -> Iterator[tuple[str, str, Field | Relation, Place]]:
    """The mixin, and the name, description and place of each attribute that it makes."""
    mixins = resource.mixins
    if owned := mixins.owned:
        yield "owned", owned.name, _owner(resource), owned.place
    if stamped := mixins.stamped:
        yield "stamped", stamped.created, _instant("when the row was made"), stamped.place
        if stamped.updated is not None:
            yield "stamped", stamped.updated, _instant("when the row was last changed"), stamped.place
    if soft_delete := mixins.soft_delete:
        hidden = Field(
            type=TypeRef("datetime"), set="server", secret=True, nullable=True, doc="when it was deleted"
        )
        yield "soft_delete", soft_delete.name, hidden, soft_delete.place
    if versioned := mixins.versioned:
        number = Field(
            type=TypeRef("integer"), set="server", required=True, nullable=False, default=1,
            doc="how often the row has been written",
        )  # fmt: skip
        yield "versioned", versioned.name, number, versioned.place


def _owner(resource: Resource) -> Relation:
    owned = resource.mixins.owned
    assert owned is not None
    to = ACCOUNT if owned.to == "account" else owned.to
    return Relation(
        to=ResourceRef(to), by=Name(owned.by) if to == ACCOUNT else None, set="server", required=True, on_delete=owned.on_delete,
        column=owned.column, doc="the account that the row belongs to", place=owned.place,
    )  # fmt: skip


def _instant(doc: str) -> Field:
    return Field(type=TypeRef("datetime"), set="server", required=True, nullable=False, doc=doc)
