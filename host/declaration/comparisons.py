"""Comparisons that can never hold, found before they are SQL: a status that does not exist, a text with a number."""

from __future__ import annotations

from host.declaration import trees as tree
from host.declaration import values
from host.declaration.nodes import Field, Relation
from host.declaration.problems import did_you_mean
from host.declaration.syntax import ExpressionError

Attribute = Field | Relation | None
_SHAPELESS = ("json", "list", "object")
_ORDERED = ("<", "<=", ">", ">=")


def check_comparison(compare: tree.Compare, left: Attribute, right: Attribute) -> None:
    """Raise `ExpressionError` when the two sides do not go together. Both sides are resolved."""
    for attribute, here, there in ((left, compare.left, compare.right), (right, compare.right, compare.left)):
        if attribute is None:
            continue
        _check_shape(attribute, here, compare)
        _check_actor(attribute, here, there)
        for value in _constants(there):
            _check_constant(attribute, here, value)
    if isinstance(left, Relation) and isinstance(right, Relation) and left.to != right.to:
        message = f"{_name(compare.left)} and {_name(compare.right)} refer to different resources"
        raise ExpressionError(message, code="comparison")


def _check_shape(attribute: Field | Relation, here: tree.Expr, compare: tree.Compare) -> None:
    if compare.operator in ("is", "is not"):
        return
    if isinstance(attribute, Field) and attribute.type in _SHAPELESS:
        raise ExpressionError(
            f"{_name(here)} is a {attribute.type} and cannot be compared", code="comparison"
        )
    is_flag = isinstance(attribute, Field) and attribute.type == "boolean"
    if compare.operator in _ORDERED and (isinstance(attribute, Relation) or is_flag):
        raise ExpressionError(f"{_name(here)} has no order", code="comparison")


def _check_actor(attribute: Field | Relation, here: tree.Expr, there: tree.Expr) -> None:
    if not isinstance(there, tree.Me):
        return
    if there.path == ("id",) and isinstance(attribute, Field) and attribute.type != "uuid":
        message = f"{_name(here)} is a {attribute.type} and can never be `me.id`, which is a uuid"
        raise ExpressionError(message, code="comparison")
    if there.path:
        return
    if not isinstance(attribute, Relation) or attribute.account is None:
        raise ExpressionError(f"{_name(here)} is not an account and cannot be `me`", code="comparison")


def _constants(expr: tree.Expr) -> tuple[tree.Scalar, ...]:
    if isinstance(expr, tree.Items):
        return expr.values
    return (expr.value,) if isinstance(expr, tree.Literal) and expr.value is not None else ()


def _check_constant(attribute: Field | Relation, here: tree.Expr, value: tree.Scalar) -> None:
    if isinstance(attribute, Relation):
        if isinstance(value, (bool, float)):
            raise ExpressionError(f"{_name(here)} {values.shown(value)} is not a key", code="comparison")
        return
    if why := values.fault(attribute, value):
        near = did_you_mean(value, attribute.values) if isinstance(value, str) else ""
        message = f"{_name(here)} can never be {values.shown(value)}, which {why}{near}"
        raise ExpressionError(message, code="comparison")


def _name(expr: tree.Expr) -> str:
    return f"`{'.'.join(expr.path)}`" if isinstance(expr, tree.Column) else "this"
