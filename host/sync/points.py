"""Where devices sync: one log, or the part of it that is about one resource, in the outer names of a wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from host.compiler.models import Model
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Sync
from host.errors import Forbidden
from host.service.context import Context
from host.service.logs import CompiledLog, CompiledLogged
from host.service.runtime import Runtime

STANDARD_PULL: Final = 1000


@dataclass(frozen=True, eq=False)
class SyncPoint:
    """What one resource with `sync` offers to devices."""

    model: Model  # the resource that says `sync`: its rules count
    node: Sync
    log: CompiledLog
    types: Mapping[str, CompiledLogged]
    wire: CompiledWire  # of the log: how events look

    @classmethod
    def of(cls, runtime: Runtime, model: Model) -> SyncPoint | None:
        """The point of a model, if it has one."""
        node, logs = model.declared.sync, runtime.logs
        if node is None:
            return None
        own = logs.logged.get(model.name)
        log = own.log if own is not None else logs.logs[model.name]
        types = {own.type: own} if own is not None else {it.type: it for it in logs.made_of(log)}
        return cls(model, node, log, types, runtime.registry.main_wire(log.model))

    @property
    def standard(self) -> int:
        """How many events a pull answers where nothing is said."""
        return min(STANDARD_PULL, self.node.most)

    @property
    def is_whole(self) -> bool:
        """Whether it is about all of the log."""
        return self.model is self.log.model

    @cached_property
    def outer(self) -> Mapping[str, str]:
        """The outer names of the log's roles."""
        node, names = self.log.node, self.wire.outer
        roles = ("id", "type", "key", "event", "data", "at", "received", "version")
        return {role: names.get(name, name) for role in roles if (name := getattr(node, role)) is not None}

    def owner(self, ctx: Context) -> Any:
        """The key of the actor's account: everybody syncs with a stream of their own."""
        mixin = self.log.model.declared.mixins.owned
        assert mixin is not None
        owner = ctx.actor.key(mixin.by)
        if owner is None:
            raise Forbidden("only an account has a stream of its own")
        return owner
