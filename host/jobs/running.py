"""What each kind of task does, given its context and its arguments; answers a result as JSON. `execution` calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import marshmallow as ma
import orjson

from host.compiler.schemas import STANDARD_VALUES, camel
from host.errors import Invalid
from host.jobs.carrying import result_text
from host.jobs.deliveries import deliver
from host.jobs.failures import JobRefused
from host.service.acting import act_later
from host.service.context import Context
from host.service.jobs import loaded
from host.service.shaping import shape_of
from host.service.tasks import Task

Runner = Callable[[Context, Task, Any], Any]


def run(ctx: Context, task: Task, data: Any) -> Any:
    """Carry the task out, and answer its result. JobRefused when it is not JSON, or not as declared."""
    return orjson.loads(result_text(RUNNERS[task.kind](ctx, task, data)))


def _run_job(ctx: Context, task: Task, data: Any) -> Any:
    """A declared job: `call(ctx, data)`, or `call(ctx)` where it takes nothing."""
    try:
        given = loaded(ctx, task, data)
    except Invalid as error:  # the declaration has changed since it was enqueued
        raise JobRefused("invalid_data", _told(error)) from None
    call = ctx.runtime.calls[task.call or ""]
    result = call(ctx, given) if task.input is not None else call(ctx)
    if task.out is None:
        return result
    return None if task.out.type == "none" else _declared(ctx, task, result)


def _declared(ctx: Context, task: Task, result: Any) -> Any:
    """The result in the form of `out`, checked against it."""
    out = task.out
    assert out is not None  # the caller has looked
    try:
        shaped = shape_of(ctx, out, None)(result)
        if out.type not in ctx.runtime.registry.models and not _holds_rows(ctx, out):
            plain = orjson.loads(result_text(shaped))
            field = ctx.runtime.registry.schemas.field(
                f"{camel(task.name)}Output", out, STANDARD_VALUES, allow_none=True
            )
            field.deserialize(plain)
    except ma.ValidationError as error:
        raise JobRefused("out", f"what it returned is not as declared: {error.messages}") from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise JobRefused(
            "out", f"what it returned is not as declared: {type(error).__name__}: {error}"
        ) from error
    return shaped


def _holds_rows(ctx: Context, out: Any) -> bool:
    return out.type == "list" and out.of is not None and out.of.type in ctx.runtime.registry.models


def _told(error: Invalid) -> str:
    return "; ".join(f"{it.pointer}: {it.detail}" for it in error.errors) or error.detail


RUNNERS: Final[Mapping[str, Runner]] = {"job": _run_job, "action": act_later, "subscriber": deliver}
