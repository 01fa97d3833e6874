"""Why an actor may or may not do something to a row: every clause of the rule with its own verdict."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host.access.policy import Policy, as_sql
from host.compiler.expressions import Facts
from host.compiler.models import Model
from host.declaration.nodes import AnyOf


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a rule as it is written; `depth` says how far inside it stands."""

    text: str
    depth: int
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A clause and whether it holds on the row."""

    clause: Clause
    holds: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the rule holds, and the verdict on each of its clauses in the order they are written."""

    is_allowed: bool
    verdicts: tuple[Verdict, ...]

    @property
    def deciding(self) -> Verdict | None:
        """The clause that settled it: the first that holds, or the innermost first that does not."""
        top = [verdict for verdict in self.verdicts if verdict.clause.depth == 0]
        if self.is_allowed:
            return next((verdict for verdict in top if verdict.holds), None)
        failing = [verdict for verdict in self.verdicts if not verdict.holds]
        return max(failing, key=lambda verdict: verdict.clause.depth, default=None)


def clauses(rule: AnyOf, policy: Policy, plugin: str) -> tuple[Clause, ...]:
    """The clauses of a rule, named rules opened."""
    return tuple(clause for condition in rule for clause in _opened(condition, 0, policy, plugin))


def _opened(text: str, depth: int, policy: Policy, plugin: str) -> Iterator[Clause]:
    node = ast.parse(text.strip(), mode="eval").body
    name = text if "." in text else f"{plugin}.{text}"
    named = policy.rules.get(name) if isinstance(node, ast.Name | ast.Attribute) else None
    yield Clause(ast.unparse(node), depth, named.doc if named else None)
    if named is not None:
        for condition in named.when:
            yield from _opened(condition, depth + 1, policy, plugin)
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _opened(ast.unparse(part), depth + 1, policy, plugin)


def explain(
    connection: sa.Connection, policy: Policy, model: Model, rule: AnyOf, facts: Facts, where: Sequence[Any], values: Any
) -> Explanation | None:  # fmt: skip
    """Decide every clause on one row; None when there is no such row at all."""
    found = clauses(rule, policy, model.plugin)
    columns = [as_sql(policy.condition(model, (clause.text,), facts)) for clause in found]
    asked = [
        sa.case((column, 1), else_=0) for column in [as_sql(policy.condition(model, rule, facts)), *columns]
    ]
    row = connection.execute(sa.select(*asked).select_from(model.table).where(*where), values).first()
    if row is None:
        return None
    verdicts = tuple(Verdict(clause, bool(holds)) for clause, holds in zip(found, row[1:], strict=True))
    return Explanation(bool(row[0]), verdicts)
