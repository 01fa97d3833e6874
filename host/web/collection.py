"""Generated operations below a collection's path that are about many rows: what bulk, export and import have in common."""

from __future__ import annotations

from typing import Any, Literal

from host.access import declared_rule
from host.compiler.expressions import Facts
from host.compiler.wires import CompiledWire
from host.declaration.paths import below
from host.service.runtime import Runtime
from host.web.operations import Handler, Operation, Repeats, operation_id, path_attributes
from host.web.placing import telling_hidden

Single = Literal["list", "create", "update", "delete"]


def serves(wire: CompiledWire, kind: str, single: Single) -> bool:
    """Whether a wire has an operation for many rows, and the one for a single row (or page) that it goes by."""
    wanted = wire.declared.operations or wire.model.declared.operations
    return kind in wanted and single in wanted


def collection_operation(
    runtime: Runtime, wire: CompiledWire, kind: str, single: Single, method: str, handler: Handler, **more: Any
) -> Operation:  # fmt: skip
    """The operation `kind` under the rule of the operation `single`; the first word of `kind` is its path."""
    model, errors = wire.model, wire.declared.errors
    path, *others = (below(base, kind.partition("_")[0]) for base in wire.places.collections)
    return Operation(
        id=operation_id(kind, model.name, wire), method=method, path=path, kind=kind, plugin=model.plugin, wire=wire,
        handler=telling_hidden(runtime, wire, wire.parents, handler, is_item=False),
        access=declared_rule(model.declared.access, single), paths=tuple(others), slash=wire.declared.slash == "both",
        is_public=runtime.policy.predicate(model, single, Facts()) is not False, errors=errors,
        parameters=path_attributes(wire.parents, None), repeats=Repeats() if method != "GET" else None, **more,
    )  # fmt: skip
