"""The host's own operations that are typed in and out by types of `host/resources`, like a plugin's endpoints.

`api_keys`, `recovery` and `oidc` describe each in a line and get the input as native values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final, Literal

from host.actor import SYSTEM
from host.compiler.models import Attribute
from host.compiler.schemas import camel
from host.declaration.nodes import Endpoint, Field, WireErrors, WireValues
from host.limiting import Limit
from host.service.runtime import Runtime
from host.service.shaping import shape_of
from host.web.actions import read_input
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation, operation_id

NO_STORE: Final = ("Cache-Control", "no-store")
AUTH_ERRORS: Final = WireErrors(keys=("error", "message", "detail", "msg"), constants={"success": False})
"""How every operation below `/api/auth` says what is wrong, for clients of several systems."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnEndpoint:
    """One operation. `given` and `out` are names of types; `is_open` looks at no credential."""

    runtime: Runtime
    name: str
    noun: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    summary: str
    handler: Callable[[OwnEndpoint, Request], Answer]
    given: str | None = None
    out: str | None = None
    status: int = 200
    is_open: bool = False
    unknown: Literal["refuse", "ignore"] = "refuse"
    errors: WireErrors = field(default_factory=WireErrors)
    parameters: Mapping[str, Attribute] = field(default_factory=dict)
    doc: str | None = None
    limits: tuple[Limit, ...] = ()

    def operation(self) -> Operation:
        """What the router and the documents want of it."""
        node = self.node
        return Operation(
            id=operation_id(self.name, f"host.{self.noun}"), method=self.method, path=self.path, kind="endpoint",
            plugin="host", handler=partial(self.handler, self), summary=self.summary, access=node.access,
            is_public=self.is_open, is_open=self.is_open, status=self.status, input=node.input, unknown=self.unknown,
            out=node.out, errors=self.errors, parameters=self.parameters, doc=self.doc,
            limits=self.limits,
        )  # fmt: skip

    def read(self, request: Request) -> dict[str, Any]:
        """The native input."""
        return read_input(
            self.runtime, request, self.node, camel(f"host.{self.given}"), WireValues(), self.unknown
        )

    def load(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The native input out of a form's texts. Raises Invalid."""
        schemas = self.runtime.registry.schemas
        node = self.node.input or Field(type="object")
        return schemas.load(
            schemas.value(camel(f"host.{self.given}"), node, WireValues(), self.unknown), given
        )

    def answer(self, value: Mapping[str, Any] | None = None) -> Answer:
        """The declared keys of the value and no others; nobody keeps it."""
        if self.node.out is None:
            return Answer(self.status, b"", None, [NO_STORE])
        shown = shape_of(self.runtime.context(SYSTEM), self.node.out, None)(value)
        return json_answer(shown, self.status, [NO_STORE])

    @cached_property
    def node(self) -> Endpoint:
        """The same in the words of the language."""
        return Endpoint(
            method=self.method, path=self.path, call="", access=("public" if self.is_open else "authenticated",),
            input=replace(self._type(self.given), required=True) if self.given else None,
            out=self._type(self.out) if self.out else None, status=self.status, unknown=self.unknown, errors=self.errors,
        )  # fmt: skip

    def _type(self, name: str) -> Field:
        return self.runtime.registry.declaration.types[f"host.{name}"]
