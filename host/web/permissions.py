"""Whether a caller may store files in a row, asked before the body is read. The transaction asks again."""

from __future__ import annotations

from collections.abc import Sequence

from host.compiler.wires import CompiledWire
from host.errors import FieldError, Forbidden, NotFound, Unavailable
from host.service.files import Files, room_left
from host.service.plans import write_rule
from host.service.runtime import Runtime
from host.web.http import Request
from host.web.placing import placed, row_keys


def check_may_create(runtime: Runtime, wire: CompiledWire, request: Request) -> None:
    """Forbidden where nobody like the caller may create such rows; NotFound where the parents are hidden."""
    ctx = placed(runtime.context(request.actor, request_id=request.id), wire.parents, request)
    if runtime.policy.predicate(wire.model, "create", ctx.facts, parents=ctx.under) is False:
        raise Forbidden(f"you may not create such a {wire.model.spoken}")


def check_may_update(
    runtime: Runtime, wire: CompiledWire, request: Request, names: Sequence[str] = ()
) -> None:
    """NotFound where the row is hidden, Forbidden where it, or one of these fields, may not be changed."""
    ctx = placed(runtime.context(request.actor, request_id=request.id), wire.parents, request)
    model = wire.model
    ruled = tuple(name for name in names if write_rule(model, name))
    plan = runtime.plans.checked(model, ctx.facts, ("get", "update", *ruled), wire.parents)
    with runtime.database.reading() as connection:
        found = plan.fetch(connection, row_keys(runtime, wire, request), ctx.values)
    if found is None or not found.verdicts[0]:
        raise NotFound(f"there is no such {model.spoken}")
    if not found.verdicts[1]:
        raise Forbidden(f"you may not update this {model.spoken}")
    denied = [name for name, verdict in zip(ruled, found.verdicts[2:], strict=True) if not verdict]
    if denied:
        detail = "you may not set this"
        raise Forbidden(detail, [FieldError(f"/{name}", "forbidden", detail) for name in denied])


def room_of(runtime: Runtime, request: Request) -> int | None:
    """How many bytes the caller may still store; None for no limit."""
    if runtime.files is None or runtime.files.settings.quota is None:
        return None
    with runtime.reading(request.actor, plugin="host") as ctx:
        return room_left(ctx)


def files_of(runtime: Runtime) -> Files:
    """The files of an app that has a storage."""
    if runtime.files is None:
        raise Unavailable("this app has no storage for files")
    return runtime.files
