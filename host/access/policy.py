"""Rules: who may do what to which row. One declared rule becomes one SQL predicate, the same on every surface.

What the actor alone decides is settled before the query (`Facts`), the rest is part of its WHERE with the actor's keys as
parameters. Closed by default: an operation without a rule is allowed to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from host.actor import Actor
from host.compiler.expressions import Facts, Scope, Sql, any_of
from host.compiler.models import Model, Models
from host.compiler.parents import Parent, below, fixed
from host.declaration.nodes import Access, AnyOf, Rule

Operation = Literal["list", "get", "create", "update", "delete"]
Parents = Sequence[Parent]
_READING = ("list", "get")


def facts_of(actor: Actor) -> Facts:
    """What is known of an actor before any query."""
    return Facts(actor.is_authenticated, actor.roles, actor.is_system)


def actor_values(actor: Actor, now: datetime) -> dict[str, Any]:
    """The parameters that compiled predicates refer to. An anonymous actor has none of the keys."""
    return {
        **{f"me_{name}": value for name, value in actor.account.items()},
        "me_id": actor.id, "me_number": actor.number, "me_hex": actor.hex, "now": now,
    }  # fmt: skip


def declared_rule(access: Access | None, operation: Operation) -> AnyOf:
    """The rule of an operation: its own, else that of reading or writing, else the one for every operation."""
    if access is None:
        return ()
    group = access.read if operation in _READING else access.write
    own: AnyOf = getattr(access, operation)
    return own or group or access.every


class Policy:
    """Compiles the rules of one app's models."""

    def __init__(self, models: Models, rules: Mapping[str, Rule]) -> None:
        self.models, self.rules = models, rules

    def scope(
        self, model: Model, facts: Facts, source: Any = None, parents: Parents = (), known: Parents = ()
    ) -> Scope:  # fmt: skip
        """The scope of a row of the model for an actor with these facts; what its parents fix is not looked up.

        `known` parents are fixed for the rules of single fields alone.
        """
        about = fixed(known) if known else {}
        facts_of_row = fixed(parents) if parents else {}
        return Scope(
            model, self.models, self.rules, facts, source, model.plugin, fixed=facts_of_row, known=about
        )

    def predicate(
        self, model: Model, operation: Operation, facts: Facts, source: Any = None, parents: Parents = ()
    ) -> Sql:  # fmt: skip
        """The condition under which the operation is allowed on a row; True or False where it is decided."""
        return self.condition(model, declared_rule(model.declared.access, operation), facts, source, parents)

    def condition(
        self, model: Model, rule: AnyOf, facts: Facts, source: Any = None, parents: Parents = ()
    ) -> Sql:  # fmt: skip
        """The condition of any rule over a row of the model."""
        if facts.is_system:
            return True
        return any_of(rule, self.scope(model, facts, source, parents)) if rule else False

    def visible(
        self, model: Model, operation: Operation, facts: Facts, source: Any = None, parents: Parents = ()
    ) -> list[Any]:  # fmt: skip
        """WHERE conditions of the rows that exist for the actor: the rule, below their parents, not soft-deleted."""
        rule = as_sql(self.predicate(model, operation, facts, source, parents))
        rest = self.existing(model, facts, source, parents)
        return rest if isinstance(rule, sa.sql.elements.True_) else [rule, *rest]

    def existing(self, model: Model, facts: Facts, source: Any = None, parents: Parents = ()) -> list[Any]:
        """WHERE conditions of the rows that are there at all, whatever the rules say."""
        scope = self.scope(model, facts, source)
        conditions = below(parents, scope)
        if model.deleted is not None:
            conditions.append(scope.column(model.deleted.name).is_(None))
        return conditions

    def actor_may(self, plugin: str, rule: AnyOf, facts: Facts) -> bool:
        """Decide a rule over the actor alone, as endpoints and collection actions have."""
        if facts.is_system:
            return True
        scope = Scope(None, self.models, self.rules, facts, None, plugin)
        return bool(rule) and any_of(rule, scope) is True


def as_sql(condition: Sql) -> Any:
    """A decided condition as SQL."""
    return sa.true() if condition is True else sa.false() if condition is False else condition
