"""A broken database constraint as the answer to a caller: which rule, at which field. Never SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host.compiler.models import Model
from host.database import Violation
from host.errors import Duplicate, FieldError, HostError, Invalid, Referenced
from host.service.context import Context


def refusal(ctx: Context, model: Model, violation: Violation, *, deleting: bool) -> HostError:
    """The error to raise for a violation that a write of this model caused."""
    match violation.kind:
        case "unique":
            return _duplicate(ctx, model, violation)
        case "foreign_key":
            if deleting:
                return Referenced(f"other rows still refer to this {model.spoken}")
            return Invalid(
                "the input refers to what is not there",
                _at(ctx, model, violation, "reference", "there is no such row"),
            )
        case "check":
            return _check(ctx, model, violation)
        case "not_null":
            return Invalid("a value is missing", _at(ctx, model, violation, "required", "this is required"))
        case "range":
            return Invalid("a value is out of range", _at(ctx, model, violation, "range", "out of range"))
    return Invalid("the database refused the values")


def _names(model: Model, columns: tuple[str, ...]) -> list[str]:
    by_column = {
        attribute.column.name: attribute.name for attribute in model.stored() if attribute.column is not None
    }
    return [by_column[column] for column in columns if column in by_column]


def _at(ctx: Context, model: Model, violation: Violation, code: str, detail: str) -> list[FieldError]:
    names = _names(model, violation.columns or _columns_of(ctx, model.table, violation.constraint))
    return [FieldError(f"/{name}", code, detail) for name in names]


def _duplicate(ctx: Context, model: Model, violation: Violation) -> Duplicate:
    names = _names(model, violation.columns or _columns_of(ctx, model.table, violation.constraint))
    keys = {key.name for key in model.keys}
    owner = model.owner.name if model.owner is not None else None
    shown = [name for name in names if name != owner] or names
    if set(shown) <= keys and shown:
        detail = f"another {model.spoken} has this key already"
    else:
        detail = (
            f"another {model.spoken} has this {' and '.join(shown)} already"
            if shown
            else "this exists already"
        )
    return Duplicate(detail, [FieldError(f"/{name}", "duplicate", detail) for name in shown])


def _columns_of(ctx: Context, table: sa.Table, constraint: str | None) -> tuple[str, ...]:
    found = _constraint(ctx, table, constraint)
    return tuple(column.name for column in found.columns) if found is not None else ()


def _constraint(ctx: Context, table: sa.Table, name: str | None) -> Any:
    """The constraint or unique index that the database knows by this name, which it may have cut short."""
    spell = ctx.runtime.database.compiling.identifier_preparer.format_constraint
    named: list[Any] = [*table.constraints, *table.indexes]
    return next((item for item in named if item.name is not None and spell(item) == name), None)


def _check(ctx: Context, model: Model, violation: Violation) -> Invalid:
    broken = _constraint(ctx, model.table, violation.constraint)
    told = broken.info if broken is not None else {}
    for check in model.declared.checks:
        if told.get("that") == check.that:
            detail = check.message or f"{check.that} does not hold"
            return Invalid(detail, [FieldError(f"/{check.at}" if check.at else "", "check", detail)])
    names = _names(model, (told["column"],) if "column" in told else ())
    return Invalid(
        "a value is not allowed", [FieldError(f"/{name}", "check", "not an allowed value") for name in names]
    )
