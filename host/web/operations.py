"""What an operation is: one method on one path, with everything that routing, documents and `hostwright routes` need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from host.compiler.models import Attribute
from host.compiler.parents import Parent
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import AnyOf, Credential, Field, Idempotency, WireErrors
from host.limiting import Limit
from host.web.http import Answer, Request

Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How an operation takes an `Idempotency-Key`. `status` is that of a repeat, if not that of the first answer."""

    is_required: bool = False
    status: int | None = None
    is_joined: bool = (
        True  # its writes and its answer commit together; not where it runs outside of a transaction
    )

    @classmethod
    def of(cls, node: Idempotency, *, is_joined: bool = True) -> Repeats:
        """As declared."""
        return cls(node.required, node.repeat, is_joined)


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """One method on one path. `kind` says which generated operation it is, or `action` or `endpoint`."""

    id: str  # the operationId: listFreelanceInvoice
    method: str
    path: str
    kind: str
    plugin: str
    handler: Handler
    summary: str
    paths: tuple[str, ...] = ()  # further paths of the same operation
    slash: bool = False  # each also with a slash at the end
    wire: CompiledWire | None = None
    access: AnyOf = ()
    is_public: bool = False  # an anonymous caller may get further than the door
    is_open: bool = False  # who asks is not even looked at: signing in works with a stale token in the header
    status: int = 200
    input: Field | None = None  # of actions and endpoints
    unknown: str = "refuse"  # input keys nobody declared
    out: Field | None = None
    doc: str | None = None
    errors: WireErrors = field(default_factory=WireErrors)
    parameters: Mapping[str, Attribute] = field(default_factory=dict)  # of the path
    body_limit: int = 1 << 20
    limits: tuple[Limit, ...] = ()  # how often it may be asked for
    repeats: Repeats | None = None  # None: the header means nothing to it
    credential: Credential | None = None  # whether cookies count; a token in the header always does
    media: tuple[str, ...] = ("json",)  # of bodies
    is_alone: bool = False  # served only with `--only`
    details: Mapping[str, Any] = field(default_factory=dict)  # what a kind adds for its documentation

    def all_paths(self) -> tuple[str, ...]:
        """Every path that it is served on."""
        plain = (self.path, *self.paths)
        return (*plain, *(f"{path}/" for path in plain)) if self.slash else plain


def path_attributes(parents: Iterable[Parent], wire: CompiledWire | None) -> Mapping[str, Attribute]:
    """The attributes that stand in a path, by the names of its parameters: parents, and what tells a row of the wire."""
    found = {parent.parameter: parent.relation for parent in parents}
    return {**found, **({key.name: key for key in wire.told_by} if wire is not None else {})}


def operation_id(verb: str, name: str, wire: CompiledWire | None = None) -> str:
    """`listFreelanceInvoice`, with the wire's name behind it where it is not the main one."""
    suffix = "" if wire is None or wire.is_main else camel(wire.name)
    made = f"{camel(verb)}{camel(name)}{suffix}"
    return made[:1].lower() + made[1:]
