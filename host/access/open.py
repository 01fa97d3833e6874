"""Which operations are open to an actor: by the facts alone for a whole app, decided for one row.

`yes` and `no` are what the facts settle; `depends` means that the row counts. `web.access` answers with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host.access.policy import Policy, as_sql
from host.access.properties import decided, properties
from host.access.questions import SAME_RULE
from host.compiler.expressions import Facts, Sql
from host.compiler.models import Model
from host.declaration.nodes import AnyOf


@dataclass(frozen=True, eq=False, kw_only=True)
class Offer:
    """An operation as the rules see it. `about_row`: the rule is over a row; `is_on_row`: its path names one."""

    id: str
    name: str  # list, get, bulk_update …, or the action's
    plugin: str
    rule: AnyOf
    model: Model | None
    about_row: bool
    is_on_row: bool
    is_open: bool = False
    is_public: bool = False


def overview(policy: Policy, offers: Sequence[Offer], facts: Facts) -> dict[str, Any]:
    """Every operation by its id, and by its resource and name."""
    resources: dict[str, dict[str, str]] = {}
    operations: dict[str, str] = {}
    for offer in offers:
        allowed = operations[offer.id] = _allowed(policy, offer, facts)
        if offer.model is not None:
            resources.setdefault(offer.model.name, {})[offer.name] = allowed
    return {"resources": resources, "operations": operations}


def resource_overview(policy: Policy, offers: Sequence[Offer], facts: Facts, model: Model) -> dict[str, Any]:
    """One resource: its operations, and what is read and taken of each field."""
    found = overview(policy, [offer for offer in offers if offer.model is model], facts)
    created = properties(model, policy, facts, "create")
    updated = properties(model, policy, facts, "update")
    fields = {
        on_create.name: {
            "read": _word(decided(on_create.readable)),
            "create": _word(decided(on_create.writable)),
            "update": _word(decided(on_update.writable)),
        }
        for on_create, on_update in zip(created, updated, strict=True)
    }
    return {"resource": model.name, **found, "fields": fields}


@dataclass(frozen=True, eq=False)
class RowOffer:
    """What is asked of one row: a statement with the key's values and the actor's as parameters, and what it answers."""

    statement: sa.Select[Any]
    names: tuple[str, ...]  # of operations
    fields: tuple[str, ...]

    def told(self, row: Sequence[Any]) -> dict[str, Any]:
        """The verdicts that the statement answered."""
        verdicts = [bool(value) for value in row]
        sides = verdicts[len(self.names) :]
        fields = {
            name: {"readable": sides[2 * at], "writable": sides[2 * at + 1]}
            for at, name in enumerate(self.fields)
        }
        return {"operations": dict(zip(self.names, verdicts, strict=False)), "fields": fields}


def row_offer(policy: Policy, offers: Sequence[Offer], facts: Facts, model: Model) -> RowOffer:
    """Every operation on a row of the model, and what is read and taken of its fields; a hidden row answers nothing."""
    wanted = {offer.name: offer for offer in offers if offer.model is model and offer.is_on_row}
    told = properties(model, policy, facts, "update")
    sides = [condition for it in told for condition in (it.readable, it.writable)]
    conditions = [*(_condition(policy, offer, facts) for offer in wanted.values()), *sides]
    key = [
        key.column == sa.bindparam(f"key_{at}", type_=key.column.type)
        for at, key in enumerate(model.keys)
        if key.column is not None
    ]
    columns = [sa.case((as_sql(condition), 1), else_=0) for condition in conditions]
    statement = sa.select(*columns).select_from(model.table).where(*key, *policy.visible(model, "get", facts))
    return RowOffer(statement, tuple(wanted), tuple(it.name for it in told))


def _allowed(policy: Policy, offer: Offer, facts: Facts) -> str:
    if offer.is_open:
        return "yes"
    if not offer.rule:  # the operation decides by itself; nobody who is not signed in gets past the door
        return "depends" if offer.is_public or facts.is_authenticated else "no"
    if offer.model is None or not offer.about_row:
        return _word(policy.actor_may(offer.plugin, offer.rule, facts))
    return _word(decided(_condition(policy, offer, facts)))


def _condition(policy: Policy, offer: Offer, facts: Facts) -> Sql:
    """The rule of an operation; a row that may not be got cannot be changed either."""
    assert offer.model is not None
    condition = policy.condition(offer.model, offer.rule, facts)
    if not offer.is_on_row and SAME_RULE.get(offer.name) not in ("update", "delete"):
        return condition
    visible = policy.predicate(offer.model, "get", facts)
    if condition is False or visible is False:
        return False
    if condition is True or visible is True:
        return visible if condition is True else condition
    return sa.and_(condition, visible)


def _word(verdict: bool | None) -> str:
    return "depends" if verdict is None else "yes" if verdict else "no"
