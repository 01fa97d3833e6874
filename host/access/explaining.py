"""Why an actor may or may not do something: every clause of the rule with its own verdict and what it looked at.

The database decides each clause, in one query over the row, so that an explanation cannot differ from what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from host.access.clauses import Clause, clauses
from host.access.evidence import compared, related, scope_of
from host.access.policy import Policy, as_sql
from host.access.properties import READING, Property, decided, properties
from host.access.questions import Question
from host.compiler.expressions import Facts, Scope, Sql, any_of
from host.declaration.nodes import AnyOf

UNSEEN = (
    "create",
    "import",
    "bulk_create",
    *READING,
)  # the others are about a row that has to be visible first
Allowed = Literal["yes", "no", "depends"]
Outcome = Literal["allowed", "hidden", "forbidden", "unauthenticated", "depends"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A clause and whether it holds; None where that depends on the row and none is named."""

    clause: Clause
    holds: bool | None
    looked_at: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] | None = None  # of the relation that it is about


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether it is allowed, the verdict on every clause, and what becomes of each field."""

    allowed: Allowed
    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    fields: tuple[Property, ...] = ()

    @property
    def deciding(self) -> Verdict | None:
        """The clause that settled it: the innermost first that holds, or that does not."""
        if self.allowed == "depends":
            return next((it for it in self.verdicts if it.holds is None and not self._inside(it)), None)
        wanted = self.allowed == "yes"
        told = [it for it in self.verdicts if it.holds is wanted]
        if wanted:
            return self._innermost(told)
        return max(told, key=lambda it: it.clause.depth, default=None)

    def _innermost(self, told: Sequence[Verdict]) -> Verdict | None:
        """From the first condition that holds down through named rules and alternatives of which one alone holds."""
        found = next((it for it in told if it.clause.depth == 0), None)
        while found is not None:
            inside = self._inside(found)
            holding = [it for it in inside if it.holds]
            if not holding or (len(holding) == len(inside) and len(inside) > 1):
                return found
            found = holding[0]
        return None

    def _inside(self, verdict: Verdict) -> list[Verdict]:
        """The clauses that a clause is directly made of."""
        at, depth = self.verdicts.index(verdict), verdict.clause.depth
        found: list[Verdict] = []
        for it in self.verdicts[at + 1 :]:
            if it.clause.depth <= depth:
                break
            found += [it] if it.clause.depth == depth + 1 else []
        return found


def explain(
    connection: sa.Connection, policy: Policy, asked: Question, facts: Facts, values: Mapping[str, Any]
) -> Explanation | None:  # fmt: skip
    """Decide every clause; None when there is no such row at all."""
    if asked.model is not None and asked.keys is not None:
        return _on_row(connection, policy, asked, facts, values)
    scope = _scope(policy, asked, facts)
    found = clauses(asked.rule, policy.rules, asked.plugin)
    verdicts = tuple(Verdict(clause, decided(_condition(clause, scope))) for clause in found)
    allowed = _allowed(True if facts.is_system else _rule(asked.rule, scope))
    told = properties(asked.model, policy, facts, asked.operation) if asked.model is not None else ()
    return Explanation(allowed, _outcome(allowed, True, facts, asked), verdicts, told)


def _on_row(
    connection: sa.Connection, policy: Policy, asked: Question, facts: Facts, values: Mapping[str, Any]
) -> Explanation | None:  # fmt: skip
    model = asked.model
    assert model is not None and asked.keys is not None
    scope = _scope(policy, asked, facts)
    found = clauses(asked.rule, policy.rules, asked.plugin)
    looked = [compared(clause, scope_of(scope, clause)) for clause in found]
    told = properties(model, policy, facts, asked.operation)
    conditions: list[Sql] = [
        facts.is_system or _rule(asked.rule, scope),
        policy.predicate(model, "get", facts),
        *(_condition(clause, scope) for clause in found),
        *(condition for it in told for condition in (it.readable, it.writable)),
    ]
    where = [
        key.column == value
        for key, value in zip(model.keys, asked.keys, strict=True)
        if key.column is not None
    ]
    if model.deleted is not None and model.deleted.column is not None:
        where.append(model.deleted.column.is_(None))
    columns = [sa.case((as_sql(condition), 1), else_=0) for condition in conditions]
    columns += [sql for values_of in looked for sql in values_of.values()]
    row = connection.execute(sa.select(*columns).select_from(model.table).where(*where), values).first()
    if row is None:
        return None
    answers = iter(row)
    may, is_visible = bool(next(answers)), bool(next(answers))
    allowed: Allowed = "yes" if may and (is_visible or asked.operation in UNSEEN) else "no"
    holds = [bool(next(answers)) for _ in found]
    settled = tuple(it.settled(bool(next(answers)), bool(next(answers))) for it in told)
    verdicts = tuple(
        Verdict(
            clause, verdict, {name: next(answers) for name in seen},
            related(connection, clause, scope_of(scope, clause), where, values),
        )
        for clause, verdict, seen in zip(found, holds, looked, strict=True)
    )  # fmt: skip
    return Explanation(allowed, _outcome(allowed, is_visible, facts, asked), verdicts, settled)


def _scope(policy: Policy, asked: Question, facts: Facts) -> Scope:
    if asked.model is not None and asked.about_row:
        return policy.scope(asked.model, facts)
    return Scope(None, policy.models, policy.rules, facts, None, asked.plugin)


def _condition(clause: Clause, scope: Scope) -> Sql:
    return _rule((clause.text,), scope_of(scope, clause))


def _rule(rule: AnyOf, scope: Scope) -> Sql:
    return any_of(rule, scope) if rule else False


def _allowed(condition: Sql) -> Allowed:
    verdict = decided(condition)
    return "depends" if verdict is None else "yes" if verdict else "no"


def _outcome(allowed: Allowed, is_visible: bool, facts: Facts, asked: Question) -> Outcome:
    """What the caller is told: a row that may not be read is as good as not there."""
    if allowed != "no":
        return "allowed" if allowed == "yes" else "depends"
    if not facts.is_authenticated:
        return "unauthenticated" if asked.keys is None or is_visible else "hidden"
    if asked.keys is None:
        return "forbidden"
    return "forbidden" if is_visible and asked.operation not in READING else "hidden"
