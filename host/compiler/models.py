"""What a resource is once compiled: a table and attributes that know their columns. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.declaration.nodes import Field, Relation, Resource

if TYPE_CHECKING:
    from host.compiler.search import Index

ACCOUNT = "host.account"


@dataclass(frozen=True, eq=False)
class Attribute:
    """A key, a field or a to-one relation. `field` describes its value; `column` is None when it is computed."""

    name: str
    field: Field
    column: sa.Column[Any] | None
    relation: Relation | None = None
    is_key: bool = False
    is_nullable: bool = True
    is_file: bool = False
    type: sa.types.TypeEngine[Any] | None = None  # of a computed value

    @property
    def is_writable(self) -> bool:
        """Whether a caller may ever send it."""
        return self.field.set != "server" and self.field.computed is None and self.field.rollup is None

    @property
    def is_stored(self) -> bool:
        """Whether it has a column."""
        return self.column is not None


@dataclass(frozen=True, eq=False)
class Matched:
    """How rows over there are told by a text: `shared` are the attributes whose values they have in common with the row."""

    attribute: Attribute
    shared: tuple[str, ...]
    is_folded: bool
    creates: bool


@dataclass(frozen=True, eq=False)
class Link:
    """A to-many relation: the rows over there that point back, or those linked through a table."""

    name: str
    relation: Relation
    target: str
    back: str | None = None  # the to-one relation over there
    table: sa.Table | None = None  # the table of a many-to-many relation
    here: sa.Column[Any] | None = None
    there: sa.Column[Any] | None = None
    key: Field | None = (
        None  # the description of what tells a linked row: its key, or the text that is matched
    )
    matched: Matched | None = None


@dataclass(frozen=True, eq=False)
class Model:
    """A compiled resource, without its outer shapes."""

    name: str  # qualified: freelance.invoice
    declared: Resource
    table: sa.Table
    keys: tuple[Attribute, ...]
    attributes: Mapping[str, Attribute]
    links: Mapping[str, Link] = field(default_factory=dict)
    search: Index | None = None  # where its words are kept, if words are searched

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self.name.partition(".")[0]

    @property
    def noun(self) -> str:
        """The resource's name within its plugin."""
        return self.name.partition(".")[2]

    @property
    def spoken(self) -> str:
        """The noun as messages say it: `time entry`."""
        return self.noun.replace("_", " ")

    @property
    def spoken_plural(self) -> str:
        """The plural as messages say it: `time entries`."""
        return (self.declared.plural or f"{self.noun}s").replace("_", " ")

    @property
    def owner(self) -> Attribute | None:
        """The relation to the owner's account, of an owned resource."""
        owned = self.declared.mixins.owned
        return self.attributes[owned.name] if owned else None

    @property
    def version(self) -> Attribute | None:
        """The version's attribute, of a versioned resource."""
        versioned = self.declared.mixins.versioned
        return self.attributes[versioned.name] if versioned else None

    @property
    def deleted(self) -> Attribute | None:
        """When the row was deleted, of a soft-deleting resource."""
        mixin = self.declared.mixins.soft_delete
        return self.attributes[mixin.name] if mixin else None

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The fields that hold files."""
        return tuple(name for name, attribute in self.attributes.items() if attribute.is_file)

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The fields that the server draws at random."""
        return tuple(name for name, node in self.declared.fields.items() if node.random is not None)

    @cached_property
    def firsts(self) -> tuple[Link, ...]:
        """The relations whose first row is made together with a row of this model."""
        return tuple(link for link in self.links.values() if link.relation.first is not None)

    def stored(self) -> tuple[Attribute, ...]:
        """The attributes that have columns, in table order."""
        return tuple(attribute for attribute in self.attributes.values() if attribute.column is not None)


Models = Mapping[str, Model]


def freeze(models: dict[str, Model]) -> Models:
    """A view that nobody can add to."""
    return MappingProxyType(models)
