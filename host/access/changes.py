"""What the difference between two versions of a site's declarations opens and closes, and for whom.

Both rules of every grant are evaluated over made-up actors and rows, in every combination that could tell them apart. Where
one allows what the other does not, and never the other way round, the change opens or closes; everything else that is not
the same is told as `changed`, with both rules: nothing is called closed that was not proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from host.access.grants import Grant, Grants, Guard, Key, grants
from host.access.logic import All, Atom, Decided, Formula, Linked, Tested, TooMany, Who, parts, truth, worlds
from host.access.lowering import Kind, Lowering, roles_in
from host.declaration.nodes import Declaration
from host.declaration.syntax import ExpressionError

Effect = Literal["opened", "closed", "changed"]
AUTHENTICATED = "authenticated"
_CLOSED = Grant((), "nobody")


@dataclass(frozen=True)
class Change:
    """One grant that is not what it was. `who` names the actors for whom, as far as that is known."""

    effect: Effect
    subject: str
    what: str
    who: tuple[str, ...]
    before: str
    after: str

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        return {
            "effect": self.effect, "subject": self.subject, "what": self.what, "who": list(self.who),
            "before": self.before, "after": self.after,
        }  # fmt: skip


def changes(before: Declaration, after: Declaration) -> list[Change]:
    """Every change, by what it is about."""
    old, new = grants(before), grants(after)
    roles = sorted(_roles(before, old) | _roles(after, new))
    kinds = (Kind(), Kind(True), *(Kind(True, role) for role in roles))
    found: list[Change] = []
    for key in dict.fromkeys((*old, *new)):
        found += _changes(key, old.get(key), new.get(key), before, after, kinds)
    return found


def _roles(declaration: Declaration, found: Grants) -> set[str]:
    guards = (guard for grant in found.values() for guard in grant.guards)
    return roles_in(declaration, ((guard.scope, guard.rule) for guard in guards))


def _changes(
    key: Key, old: Grant | None, new: Grant | None, before: Declaration, after: Declaration, kinds: Sequence[Kind]
) -> Iterator[Change]:  # fmt: skip
    one, other = old or _CLOSED, new or _CLOSED
    if old is not None and new is not None and old.terms != new.terms:
        told = [" ".join((grant.shown, *filter(None, grant.terms))) for grant in (one, other)]
        yield Change("changed", *key, (), told[0], told[1])
        return
    effects: dict[Effect, list[str]] = {"opened": [], "closed": [], "changed": []}
    for kind in kinds:
        for noticed, effect in _compared(one, other, before, after, kind):
            effects[effect].append(noticed)
    if effects["changed"] or (effects["opened"] and effects["closed"]):
        noticing = [name for names in effects.values() for name in names]
        yield Change("changed", *key, _brief(noticing), one.shown, other.shown)
        return
    for effect, names in effects.items():
        if names:
            yield Change(effect, *key, _brief(names), one.shown, other.shown)


def _brief(names: Sequence[str]) -> tuple[str, ...]:
    """Each once; what whoever is signed in notices need not be said of every role."""
    found = dict.fromkeys(names)
    return tuple(it for it in found if AUTHENTICATED not in found or not it.startswith("role "))


def _compared(
    old: Grant, new: Grant, before: Declaration, after: Declaration, kind: Kind
) -> Iterator[tuple[str, Effect]]:  # fmt: skip
    """The effect for each actor of one kind who notices it; for whom nothing was proven it is `changed`."""
    known: dict[str, tuple[Any, ...]] = {}
    name = f"role {kind.role}" if kind.role else AUTHENTICATED if kind.is_authenticated else "anonymous"
    try:
        one, other = _lowered(old, before, kind, known), _lowered(new, after, kind, known)
        if one == other:
            return
        whole = _effect(one, other, Who(name, is_anybody=True), known)
        if whole is None:
            return
        told = list(_told(one, other, name, kind, known))
        yield from told
        if not told and kind.role is not None and whole == _whole(old, new, before, after):
            return  # not by the role
        if whole == "changed" or not told:
            yield name, whole
    except (TooMany, ExpressionError):
        yield name, "changed"


def _whole(old: Grant, new: Grant, before: Declaration, after: Declaration) -> Effect | None:
    """The effect for whoever is signed in, without any role."""
    known: dict[str, tuple[Any, ...]] = {}
    one, other = _lowered(old, before, Kind(True), known), _lowered(new, after, Kind(True), known)
    return _effect(one, other, Who(AUTHENTICATED, is_anybody=True), known)


def _told(
    one: Formula, other: Formula, name: str, kind: Kind, known: dict[str, tuple[Any, ...]]
) -> Iterator[tuple[str, Effect]]:  # fmt: skip
    """The effect for a stranger, for whom the row belongs to, and for members: all, or those with some value."""
    for groups in _actors(name, kind, (one, other), known):
        general, *special = [(who.name, _effect(one, other, who, known)) for who in groups]
        noticing = [(each, effect) for each, effect in special if effect is not None]
        if special and {effect for _, effect in special} != {general[1]}:
            yield from noticing
        elif general[1] is not None:
            yield general[0], general[1]


def _lowered(
    grant: Grant, declaration: Declaration, kind: Kind, known: dict[str, tuple[Any, ...]]
) -> Formula:
    if not grant.guards:
        return Decided(False)

    def lowered(guard: Guard) -> Formula:
        return Lowering(declaration, guard.scope, kind, known).rule(guard.rule)

    return All(tuple(lowered(guard) for guard in grant.guards))


def _effect(one: Formula, other: Formula, who: Who, known: dict[str, tuple[Any, ...]]) -> Effect | None:
    opens = closes = False
    for world in worlds((one, other), who, known):
        was, now = truth(one, world) is True, truth(other, world) is True
        opens, closes = opens or (now and not was), closes or (was and not now)
    if opens and closes:
        return "changed"
    return "opened" if opens else "closed" if closes else None


def _actors(
    name: str, kind: Kind, formulas: Sequence[Formula], known: dict[str, tuple[Any, ...]]
) -> Iterator[list[Who]]:  # fmt: skip
    """A stranger to the row, whoever it belongs to, and members with each value that the rules tell apart."""
    yield [Who(name)]
    if not kind.is_authenticated or kind.role is not None:
        return
    found = dict.fromkeys(part for formula in formulas for part in parts(formula))
    for part in found:
        if isinstance(part, Atom) and part.is_actor:
            yield [Who(f"account of {_named(part.key)}", atom=part.key)]
    links: dict[str, list[Formula]] = {}
    for part in found:
        if isinstance(part, Linked):
            links.setdefault(part.key, []).extend(parts(part.condition))
    for key, inside in links.items():
        if any(isinstance(part, Atom) and part.is_actor for part in inside):
            yield _members(key, inside, known)


def _members(key: str, inside: Sequence[Formula], known: dict[str, tuple[Any, ...]]) -> list[Who]:
    label = f"member of {_named(key)}"
    values: dict[tuple[str, Any], None] = {}
    for part in inside:
        if isinstance(part, Tested) and part.operator == "in":
            values.update(dict.fromkeys((part.key, it) for it in known.get(part.key) or part.constants))
    special = [Who(f"{label} with {_named(at)} {it}", link=key, value=(at, it)) for at, it in values]
    return [Who(label, link=key), *special]


def _named(key: str) -> str:
    """The name in a key: `demo.team.members[…]` is members; of a comparison the side that is the row's."""
    side = next((it for it in key.split(" == ") if not it.startswith("me")), key)
    bare = side.partition("[")[0]
    return bare.split(".", 2)[-1] if bare.count(".") >= 2 else bare
