"""The picture of one's own account, below `/api/auth/me`. It is the file field `avatar` of the host's account."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from host.auth.lookup import Row
from host.compiler.files import version
from host.compiler.models import ACCOUNT
from host.declaration.nodes import WireFile
from host.service.runtime import Runtime
from host.web.files import FieldHandlers
from host.web.http import Answer, Request
from host.web.operations import Handler, Operation, operation_id
from host.web.own import AUTH_ERRORS

PATH: Final = "/api/auth/me/avatar"
FIELD: Final = "avatar"
PARTS: Final = ("avatar", "file")
_ACCESS: Final = ("authenticated",)


@dataclass(frozen=True, eq=False)
class AvatarOperations:
    """Storing, removing and seeing one's own picture."""

    runtime: Runtime

    def operations(self) -> Iterator[Operation]:
        """Every operation."""
        yield self._operation("upload", "POST", "Store your picture")
        yield self._operation("upload", "PUT", "Store your picture")
        yield self._operation("clear", "DELETE", "Remove your picture")
        yield self._operation("download", "GET", "See your picture")

    def _operation(self, kind: str, method: str, summary: str) -> Operation:
        handlers = self._handlers
        made = handlers.operation(kind, method, FIELD)
        verb = f"{kind}_own_avatar" + ("_by_put" if method == "PUT" else "")
        return replace(
            made, id=operation_id(verb, ACCOUNT), path=PATH, paths=(), parameters={}, access=_ACCESS, is_public=False,
            handler=_own(getattr(handlers, kind)), summary=summary, errors=AUTH_ERRORS,
        )  # fmt: skip

    @property
    def _handlers(self) -> FieldHandlers:
        wire = self.runtime.registry.wires[ACCOUNT][0]
        return FieldHandlers(
            self.runtime, wire, wire.model.attributes[FIELD], self._node(wire.declared.files), PARTS
        )

    def _node(self, declared: Mapping[str, Any]) -> WireFile:
        node: WireFile = declared[FIELD]
        return node


def _own(handler: Handler) -> Handler:
    """The handler, about the caller's own account."""

    def handle(request: Request) -> Answer:
        request.params = {"id": request.actor.id or ""}
        return handler(request)

    return handle


def avatar_url(runtime: Runtime, account: Row) -> str | None:
    """Where an account's picture is shown to whoever may see this answer; None without one."""
    path, sign = account.get(FIELD), runtime.registry.sign
    if not path or sign is None:
        return None
    signed = sign(f"{ACCOUNT}.{FIELD}", (account["id"],), path, time.time())
    return f"/api/auth/accounts/{account['id']}/{FIELD}?v={version(path)}&{signed}"
