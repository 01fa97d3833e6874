"""Conditions reduced to what can be compared without a database: tests of made-up values, in every combination.

A formula is three-valued like the SQL that a rule becomes (None is what an absent value leaves open), and only True holds.
`worlds` makes the combinations: of a column the values that tell its tests apart, of a relation to many rows the kinds of rows
that its conditions tell apart. Two conditions that no combination tells apart are the same to everybody. `changes` compares
with it the rules of two versions of a site.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any, Literal

MOST_WORLDS = 60_000
MOST_KINDS = 6  # of rows behind one relation
Truth = bool | None
World = Mapping[str, Any]


@dataclass(frozen=True)
class Decided:
    """True, False, or absent."""

    value: Truth


@dataclass(frozen=True)
class Atom:
    """A comparison of two things that are not known. `is_actor`: it says that the row, or what it leads to, is the actor's."""

    key: str
    is_actor: bool = False


@dataclass(frozen=True)
class Tested:
    """A column or an account's field against constants; `in` for equality, `is` for absence."""

    key: str
    operator: Literal["in", "<", "<=", ">", ">=", "is"]
    constants: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Linked:
    """`any()` or `all()` over the rows of a relation."""

    key: str
    function: Literal["any", "all"]
    condition: Formula


@dataclass(frozen=True)
class All:
    """Every one holds."""

    items: tuple[Formula, ...]


@dataclass(frozen=True)
class Any_:
    """One at least holds."""

    items: tuple[Formula, ...]


@dataclass(frozen=True)
class Inverse:
    """The inner one does not hold."""

    item: Formula


Formula = Decided | Atom | Tested | Linked | All | Any_ | Inverse


@dataclass(frozen=True)
class Who:
    """Whom a comparison is about: with an `atom` the one whom it says is the actor, with a `link` a member through it.

    `value` narrows the membership to rows whose column of that name has that value. With none of them a stranger.
    """

    name: str
    atom: str | None = None
    link: str | None = None
    value: tuple[str, Any] | None = None
    is_anybody: bool = False  # not narrowed at all


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class TooMany(Exception):
    """There are more combinations than are tried."""


def truth(formula: Formula, world: World) -> Truth:
    """Whether a formula holds in a world."""
    match formula:
        case Decided(value):
            return value
        case Atom(key):
            found: Truth = world[key]
            return found
        case Tested():
            return _tested(formula, world[formula.key])
        case Linked():
            verdicts = [row[formula.condition] for row in world[formula.key]]
            return any(verdicts) if formula.function == "any" else all(verdicts)
        case Inverse(item):
            inner = truth(item, world)
            return None if inner is None else not inner
        case Any_(items):
            return _joined([truth(item, world) for item in items], decisive=True)
        case All(items):
            return _joined([truth(item, world) for item in items], decisive=False)


def _joined(found: list[Truth], *, decisive: bool) -> Truth:
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _tested(test: Tested, value: Any) -> Truth:
    if test.operator == "is":
        return value is None
    if value is None:
        return None
    if test.operator == "in":
        return value in test.constants
    compare = _ORDERS[test.operator]
    try:
        return compare(value, test.constants[0])
    except TypeError:  # constants of several types: another value than any of them
        return False


def parts(formula: Formula) -> Iterator[Formula]:
    """Every atom, test and relation of a formula, without what is inside of relations."""
    match formula:
        case All(items) | Any_(items):
            yield from chain.from_iterable(map(parts, items))
        case Inverse(item):
            yield from parts(item)
        case Decided():
            return
        case _:
            yield formula


def worlds(formulas: Iterable[Formula], who: Who, values: Mapping[str, tuple[Any, ...]]) -> Iterator[World]:
    """Every combination that could tell these formulas apart; `values` are the declared ones of enums. Raises TooMany."""
    domains = _domains(list(chain.from_iterable(map(parts, formulas))), who, values)
    size = 1
    for domain in domains.values():
        size *= len(domain)
    if size > MOST_WORLDS:
        raise TooMany
    for combination in product(*domains.values()):
        yield dict(zip(domains, combination, strict=True))


def _domains(found: list[Formula], who: Who, values: Mapping[str, tuple[Any, ...]]) -> dict[str, list[Any]]:
    domains: dict[str, list[Any]] = {}
    for part in found:
        if isinstance(part, Atom):
            domains[part.key] = _atom_domain(part, who)
        elif isinstance(part, Tested) and part.key not in domains:
            constants = [
                it
                for other in found
                if isinstance(other, Tested) and other.key == part.key
                for it in other.constants
            ]
            domains[part.key] = [*(values.get(part.key) or _around(constants)), None]
        elif isinstance(part, Linked) and part.key not in domains:
            conditions = [it.condition for it in found if isinstance(it, Linked) and it.key == part.key]
            domains[part.key] = _link_domain(part.key, list(dict.fromkeys(conditions)), who, values)
    return domains


def _atom_domain(atom: Atom, who: Who) -> list[Truth]:
    if not atom.is_actor or who.is_anybody:
        return [True, False, None]
    return [True] if atom.key == who.atom else [False, None]


def _around(constants: Iterable[Any]) -> list[Any]:
    """Values that tell comparisons with the constants apart: each, and what lies just beside it."""
    found: list[Any] = []
    for constant in dict.fromkeys(constants):
        if isinstance(constant, bool):
            found += [True, False]
        elif isinstance(constant, int | float):
            found += [constant - 1, constant - 0.5, constant, constant + 0.5, constant + 1]
        else:
            found += ["", constant, f"{constant}\x01"]
    return list(dict.fromkeys(found))


def _link_domain(
    key: str, conditions: list[Formula], who: Who, values: Mapping[str, tuple[Any, ...]]
) -> list[tuple[Mapping[Formula, bool], ...]]:  # fmt: skip
    """The sets of rows behind a relation: a row is what the conditions say of it, and whether it is the actor's."""
    kinds: dict[tuple[bool, ...], None] = {}
    mine: set[tuple[bool, ...]] = set()
    is_member = who.link == key
    inside = Who(who.name, is_anybody=who.is_anybody or is_member)
    for world in worlds(conditions, inside, values):
        verdicts = tuple(truth(condition, world) is True for condition in conditions)
        if is_member and _is_mine(conditions, world):
            if who.value is not None and who.value[0] in world and world[who.value[0]] != who.value[1]:
                continue
            mine.add(verdicts)
        kinds[verdicts] = None
    if len(kinds) > MOST_KINDS:
        raise TooMany
    sets = chain.from_iterable(combinations(kinds, size) for size in range(len(kinds) + 1))
    wanted = [rows for rows in sets if not is_member or any(row in mine for row in rows)]
    return [tuple(dict(zip(conditions, row, strict=True)) for row in rows) for rows in wanted]


def _is_mine(conditions: Iterable[Formula], world: World) -> bool:
    atoms = (part for part in chain.from_iterable(map(parts, conditions)) if isinstance(part, Atom))
    return any(atom.is_actor and world[atom.key] is True for atom in atoms)
