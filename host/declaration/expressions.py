"""The expression language of rules, checks and computed fields: Python syntax, parsed to a small frozen tree.

Nothing is ever evaluated as Python. This is the face that the layers above import: `parse` for declarations that are
linked. The linker itself works on `syntax`, which still tells `row.status` from `status`, and finds with `scopes` what is
unknown or ambiguous.
"""

from __future__ import annotations

from host.declaration import syntax
from host.declaration.syntax import ExpressionError
from host.declaration.trees import (
    And,
    Arithmetic,
    Call,
    Column,
    Compare,
    Expr,
    Items,
    Literal,
    Me,
    Negative,
    Not,
    Now,
    Or,
    RuleRef,
    Scalar,
    Word,
    names_in,
    rules_in,
    walk,
)

__all__ = [
    "WORDS", "And", "Arithmetic", "Call", "Column", "Compare", "Expr", "ExpressionError", "Items", "Literal", "Me",
    "Negative", "Not", "Now", "Or", "RuleRef", "Scalar", "Word", "names_in", "parse", "rules_in", "walk",
]  # fmt: skip

WORDS = ("public", "authenticated", "owner")


def parse(text: str) -> Expr:
    """The tree of a linked expression: bare words are `Word`, `row.x` is `Column(("x",))`, every other name a `Column`,
    which is a rule where no field of that name exists."""
    return _settled(syntax.parse(text))


def _settled(expr: Expr) -> Expr:
    match expr:
        case Column((name,)) if name in WORDS:
            return Word(name)  # type: ignore[arg-type]  # it is one of them
        case Column(("row", *path)):
            return Column(tuple(path))
        case Compare(operator, left, right):
            return Compare(operator, _settled(left), _settled(right))
        case Arithmetic(operation, left, right):
            return Arithmetic(operation, _settled(left), _settled(right))
        case And(items):
            return And(tuple(_settled(item) for item in items))
        case Or(items):
            return Or(tuple(_settled(item) for item in items))
        case Call(function, arguments):
            return Call(function, tuple(_settled(item) for item in arguments))
        case Not(item):
            return Not(_settled(item))
        case Negative(item):
            return Negative(_settled(item))
    return expr
