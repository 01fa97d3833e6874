"""The trees of expressions: what `syntax` parses to, and what the compiler makes SQL of. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Items:
    """A list or tuple of constants, on the right of `in`."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A field, or a dotted path through relations (`client.owner`); `row.public` is `Column(("public",))`."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Me:
    """The actor's key (`me`, path empty) or one of the account's fields (`me.email`)."""

    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """The instant of the request, `now`."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of the words `public`, `authenticated`, `owner`."""

    name: OneOf["public", "authenticated", "owner"]


@dataclass(frozen=True, slots=True)
class RuleRef:
    """A named rule, qualified once linked (`freelance.own_draft`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`; chained comparisons are an `And` of these. `is None` and `is not None` are here too."""

    operator: OneOf["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class And:
    """Every one holds."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any one holds."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The inner one does not hold; a comparison with an absent value is false under `not` too."""

    item: Expr


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right` over numbers (`+` also joins texts)."""

    operator: OneOf["+", "-", "*", "/", "%"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negative:
    """`-item`."""

    item: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """`role('admin')`, `any(path, …)`, and in computed fields `coalesce lower upper length abs round`."""

    name: str
    arguments: tuple[Expr, ...]


Expr = (
    Literal
    | Items
    | Column
    | Me
    | Now
    | Word
    | RuleRef
    | Compare
    | And
    | Or
    | Not
    | Arithmetic
    | Negative
    | Call
)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outside in."""
    yield expr
    for part in below(expr):
        yield from walk(part)


def below(expr: Expr) -> tuple[Expr, ...]:
    """What an expression is made of."""
    match expr:
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return (left, right)
        case And(items) | Or(items) | Call(_, items):
            return items
        case Not(item) | Negative(item):
            return (item,)
    return ()


def names_in(expr: Expr) -> frozenset[str]:
    """The first segments of all columns: of an unresolved tree the bare names, of a resolved one the fields it reads."""
    return frozenset(it.path[0] for it in walk(expr) if isinstance(it, Column))


def rules_in(expr: Expr) -> frozenset[str]:
    """The named rules that a resolved tree refers to."""
    return frozenset(it.name for it in walk(expr) if isinstance(it, RuleRef))
