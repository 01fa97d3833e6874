"""A broken database constraint as the answer to a caller: which rule, at which field. Never SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from host.compiler.models import Model
from host.compiler.tables import check_name
from host.database import Violation
from host.errors import Duplicate, FieldError, HostError, Invalid, Referenced
from host.service.context import Context

_PREPARER = (
    sqlite.dialect().identifier_preparer
)  # spells a constraint's name as the naming convention makes it


def refusal(ctx: Context, model: Model, violation: Violation, *, deleting: bool) -> HostError:
    """The error to raise for a violation that a write of this model caused."""
    match violation.kind:
        case "unique":
            return _duplicate(model, violation)
        case "foreign_key":
            if deleting:
                return Referenced(f"other rows still refer to this {model.noun}")
            return Invalid(
                "the input refers to what is not there",
                _at(model, violation, "reference", "there is no such row"),
            )
        case "check":
            return _check(model, violation)
        case "not_null":
            return Invalid("a value is missing", _at(model, violation, "required", "this is required"))
        case "range":
            return Invalid("a value is out of range", _at(model, violation, "range", "out of range"))
    return Invalid("the database refused the values")


def _names(model: Model, columns: tuple[str, ...]) -> list[str]:
    by_column = {
        attribute.column.name: attribute.name for attribute in model.stored() if attribute.column is not None
    }
    return [by_column[column] for column in columns if column in by_column]


def _at(model: Model, violation: Violation, code: str, detail: str) -> list[FieldError]:
    names = _names(model, violation.columns or _columns_of(model.table, violation.constraint))
    return [FieldError(f"/{name}", code, detail) for name in names]


def _duplicate(model: Model, violation: Violation) -> Duplicate:
    names = _names(model, violation.columns or _columns_of(model.table, violation.constraint))
    keys = {key.name for key in model.keys}
    owner = model.owner.name if model.owner is not None else None
    shown = [name for name in names if name != owner] or names
    if set(shown) <= keys and shown:
        detail = f"another {model.noun} has this key already"
    else:
        detail = (
            f"another {model.noun} has this {' and '.join(shown)} already"
            if shown
            else "this exists already"
        )
    return Duplicate(detail, [FieldError(f"/{name}", "duplicate", detail) for name in shown])


def _columns_of(table: sa.Table, constraint: str | None) -> tuple[str, ...]:
    named: list[Any] = [*table.constraints, *table.indexes]
    for item in named:
        if item.name is not None and _PREPARER.format_constraint(item) == constraint:
            return tuple(column.name for column in item.columns)
    return ()


def _check(model: Model, violation: Violation) -> Invalid:
    for check in model.declared.checks:
        if violation.constraint is not None and violation.constraint.endswith(check_name(check.that)):
            detail = check.message or f"{check.that} does not hold"
            return Invalid(detail, [FieldError(f"/{check.at}" if check.at else "", "check", detail)])
    column = (violation.constraint or "").removeprefix(f"ck_{model.table.name}_")
    names = _names(model, (column,))
    return Invalid(
        "a value is not allowed", [FieldError(f"/{name}", "check", "not an allowed value") for name in names]
    )
