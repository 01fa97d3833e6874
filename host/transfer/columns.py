"""Where each name of a file goes: to an input of the resource, to its key, or nowhere because only the server says it.

A file that was exported can be imported again: what the wire shows but the importer may not set is ignored, everything
else that nobody declared is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma

from host.compiler.models import Attribute, Link
from host.compiler.registry import Registry
from host.compiler.schemas import MOST_LINKS, restorable, writable
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.declaration.problems import did_you_mean
from host.errors import Invalid
from host.fields.forms import Form

MOST_NAMES = 200
_LINKS = Field(type="list", of=Field(type="string"), max=MOST_LINKS)


@dataclass(frozen=True, slots=True)
class Target:
    """Where one name of the file goes: `key` is the name in the schema, `attribute` the inner one."""

    key: str
    attribute: str
    field: Field
    form: Form
    is_nullable: bool
    is_identity: bool = False  # finds the row that exists already; not stored
    is_alias: bool = False  # a further name that the wire shows; gives way to the name itself


@dataclass
class Columns:
    """The names of one import, resolved as they occur. `renames` are the operator's, from file to wire; "" drops a name."""

    registry: Registry
    wire: CompiledWire
    is_system: bool
    renames: Mapping[str, str] = field(default_factory=dict)
    is_mongo: bool = False
    has_identity: bool = False  # rows are looked up by key before they are created
    ignored: set[str] = field(default_factory=set)
    _known: dict[str, Target | None] = field(default_factory=dict)

    @property
    def schema(self) -> ma.Schema:
        """What the records have to be."""
        schemas = self.registry.schemas
        return schemas.restore(self.wire) if self.is_system else schemas.create(self.wire)

    def target(self, name: str) -> Target | None:
        """Where a name goes; None for nowhere. Raises Invalid for a name that nobody declared."""
        if name in self._known:
            return self._known[name]
        target = self._resolve(name)
        if len(self._known) < MOST_NAMES:  # a file may have new names on every line
            self._known[name] = target
        return target

    def _resolve(self, name: str) -> Target | None:
        outer = self.renames.get(name, name)
        if outer == "":
            self._ignore(name)
            return None
        inner = self._inner(outer)
        node = self._settable().get(inner)
        if node is not None:
            return self._target(inner, node, is_alias=outer in self.wire.declared.also)
        attribute = self.wire.model.attributes.get(inner)
        if (
            attribute is not None
            and self.has_identity
            and (attribute.is_key or self._is_wanted_version(attribute))
        ):
            return self._target(inner, attribute, is_identity=True, is_alias=outer in self.wire.declared.also)
        if self._is_shown(outer, inner) or self.wire.declared.unknown == "ignore":
            self._ignore(name)
            return None
        known = [self.wire.outer.get(key, key) for key in self._settable()]
        raise Invalid.at(
            f"/{name[:100]}", "unknown", f"nobody declared this{did_you_mean(name[:100], known)}"
        )

    def _ignore(self, name: str) -> None:
        if len(self.ignored) < MOST_NAMES:
            self.ignored.add(name[:100])

    def _is_wanted_version(self, attribute: Attribute) -> bool:
        """Whether it is the version that every update of this resource has to name."""
        versioned = self.wire.model.declared.mixins.versioned
        return versioned is not None and versioned.required and attribute is self.wire.model.version

    def _inner(self, outer: str) -> str:
        model = self.wire.model
        found = self.wire.inner.get(outer)
        if found is not None:
            return found
        key = model.keys[0].name
        if self.wire.declared.also.get(outer) == key or (
            outer == "_id" and self.is_mongo and len(model.keys) == 1
        ):
            return key
        # Hidden names and inner names are for the operator only.
        is_plain = outer in self._settable() and self.wire.outer.get(outer, outer) == outer
        return outer if self.is_system or is_plain else ""

    def _settable(self) -> Mapping[str, Attribute | Field | Link]:
        return restorable(self.wire) if self.is_system else writable(self.wire, updating=False)

    def _target(
        self, inner: str, node: Attribute | Field | Link, *, is_identity: bool = False, is_alias: bool = False
    ) -> Target:  # fmt: skip
        form = self.wire.field_form(inner) or self.wire.form
        described = _LINKS if isinstance(node, Link) else node.field if isinstance(node, Attribute) else node
        nullable = (
            node.is_nullable if isinstance(node, Attribute) else isinstance(node, Field) and not node.required
        )
        return Target(
            self.wire.outer.get(inner, inner), inner, described, form, nullable, is_identity, is_alias
        )

    def _is_shown(self, outer: str, inner: str) -> bool:
        declared: Any = self.wire.declared
        return inner in self.wire.shown or inner in self.wire.model.links or outer in (
            *declared.also, *declared.through, *declared.constants
        )  # fmt: skip
