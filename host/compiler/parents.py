"""Parents of nested resources: what a path fixes, as SQL of the rows below it.

`web` finds them in an operation's path, `service` checks them once and adds their conditions to every statement about rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Scope, terminal, to_sql
from host.compiler.models import Attribute, Model, Models
from host.declaration.expressions import Column
from host.declaration.parents import Steps, parameter_of, parents_of


@dataclass(frozen=True, slots=True)
class Parent:
    """One relation that a path fixes: the steps to it from the rows, and the relation at their end."""

    steps: Steps
    relation: Attribute

    @property
    def parameter(self) -> str:
        """Its name in the path."""
        return parameter_of(self.steps)

    @property
    def bind(self) -> str:
        """Its parameter in statements."""
        return f"parent_{self.parameter}"

    @property
    def target(self) -> str:
        """The name of the parent's model."""
        assert self.relation.relation is not None  # the linker checked it
        return self.relation.relation.to

    def value(self) -> Any:
        """The fixed key as SQL."""
        assert self.relation.column is not None
        return sa.bindparam(self.bind, type_=self.relation.column.type)


def parents_in(path: str, model: Model, models: Models, without: Iterable[str] = ()) -> tuple[Parent, ...]:
    """The parents that a declared path fixes; parameters of these names are something else."""
    found = []
    for steps in parents_of(path):
        attribute = terminal(steps, Scope(model, models)) if parameter_of(steps) not in without else None
        if attribute is not None and attribute.relation is not None:
            found.append(Parent(steps, attribute))
    return tuple(found)


def fixed(parents: Sequence[Parent]) -> Mapping[Steps, Any]:
    """The relations that rules need not look at any more, each with what it is fixed to."""
    return {parent.steps: parent.value() for parent in parents}


def below(parents: Sequence[Parent], scope: Scope) -> list[Any]:
    """The conditions of rows below their parents. `scope` must not have them fixed."""
    return [to_sql(Column(parent.steps), scope) == parent.value() for parent in parents]
