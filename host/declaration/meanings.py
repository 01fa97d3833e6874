"""What a name in an expression means where it stands: a column, a named rule, one of the words, the actor.

`scopes` asks while it resolves an expression. A name that could mean two things is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from host.declaration import trees as tree
from host.declaration.expressions import WORDS
from host.declaration.keys import attributes
from host.declaration.nodes import Field, Relation, Resource, Rule
from host.declaration.problems import did_you_mean
from host.declaration.syntax import AlreadyTold, ExpressionError
from host.declaration.workspace import ACCOUNT

# `rule` knows the actor and other rules, `check`, `where` and `computed` the row alone.
Use = Literal["rule", "check", "where", "computed"]


class Declared(Protocol):
    """A workspace or a linked declaration."""

    @property
    def resources(self) -> Mapping[str, Resource]: ...
    @property
    def rules(self) -> Mapping[str, Rule]: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: in which plugin, about rows of which resource (None: about the actor alone)."""

    plugin: str
    resource: str | None = None
    use: Use = "rule"


class Meanings:
    """The names of one scope."""

    def __init__(self, declared: Declared, scope: Scope) -> None:
        self.resource = declared.resources[scope.resource] if scope.resource else None
        self.attributes = attributes(self.resource) if self.resource else {}
        self._declared = declared
        self._scope = scope

    def column(self, path: tuple[str, ...]) -> tree.Column:
        """The column that a path means; raises when there is none, or when the path could mean something else."""
        if path[0] == "row":
            if len(path) == 1:
                raise ExpressionError("`row` is followed by a field: `row.status`", code="unknown_name")
            path = path[1:]
        else:
            self._check_unambiguous(path)
            self._check_value(path)
        self.follow(path)
        return tree.Column(path)

    def _check_value(self, path: tuple[str, ...]) -> None:
        name = ".".join(path)
        if path[0] not in self.attributes and (name in WORDS or self.rule(path)):
            message = f"`{name}` is a condition by itself, not a value"
            raise ExpressionError(message, code="comparison")

    def _check_unambiguous(self, path: tuple[str, ...]) -> None:
        name = path[0]
        if name not in self.attributes:
            return
        if name in WORDS and self.shadows(name):
            message = f"`{name}` is a field here and a word of the language: write `row.{name}` for the field"
            raise ExpressionError(message, code="ambiguous_name")
        if len(path) == 1 and f"{self._scope.plugin}.{name}" in self._declared.rules:
            message = (
                f"`{name}` is a field here and a rule: write `row.{name}` for the field, or rename the rule"
            )
            raise ExpressionError(message, code="ambiguous_name")

    def shadows(self, word: str) -> bool:
        """Whether a field of the resource has the name of a word; the mixin's own relation `owner` does not count."""
        owned = self.resource.mixins.owned if self.resource else None
        return word in self.attributes and not (
            word == "owner" and owned is not None and owned.name == "owner"
        )

    def rule(self, path: tuple[str, ...]) -> str | None:
        """The qualified name of the rule that a path means, if there is one."""
        name = ".".join(path) if len(path) == 2 else f"{self._scope.plugin}.{path[0]}"
        return name if len(path) <= 2 and name in self._declared.rules else None

    def word(self, name: str) -> tree.Expr:
        """One of the words, if it means something here."""
        if self._scope.use != "rule":
            raise ExpressionError(f"`{name}` cannot stand here: only the row's fields can", code="not_here")
        if name == "owner" and self.resource is None:
            raise ExpressionError("there is no row here that could have an owner", code="not_here")
        if name == "owner" and self.resource is not None and self.resource.mixins.owned is None:
            raise ExpressionError("the resource has no owner: add the mixin `owned`", code="no_mixin")
        return tree.Word(name)  # type: ignore[arg-type]

    def me(self, path: tuple[str, ...]) -> tree.Expr:
        """The actor, or a field of the account."""
        if self._scope.use != "rule":
            raise ExpressionError(
                "the actor (`me`) cannot stand here: only the row's fields can", code="not_here"
            )
        account = self._declared.resources.get(ACCOUNT)
        if path and account:
            known = {
                name: it
                for name, it in attributes(account).items()
                if isinstance(it, Field) and not it.secret
            }
            if path[0] not in known:
                message = f"the account has no field `{path[0]}`{did_you_mean(path[0], known)}"
                raise ExpressionError(message, code="unknown_name")
        return tree.Me(path)

    def follow(self, path: tuple[str, ...]) -> Field | Relation:
        """The field or relation at the end of a path; every step before it is a to-one relation."""
        known: Mapping[str, Field | Relation] = self.attributes
        for at, name in enumerate(path):
            attribute = known.get(name)
            if attribute is None:
                raise ExpressionError(self._unknown(path, at, known), code="unknown_name")
            if isinstance(attribute, Field):
                self._check_stored(path, attribute)
            if at == len(path) - 1:
                return attribute
            if not isinstance(attribute, Relation) or attribute.many:
                dotted = ".".join(path[: at + 1])
                raise ExpressionError(f"`{dotted}` is not a relation to one row", code="unknown_name")
            if self._scope.use in ("check", "where", "computed"):
                raise ExpressionError("only fields of the row itself can stand here", code="not_here")
            known = attributes(self.target(attribute))
        raise ExpressionError("an empty path", code="unknown_name")

    def target(self, relation: Relation) -> Resource:
        """The resource that a relation refers to."""
        if relation.to not in self._declared.resources:
            raise AlreadyTold("the relation refers to nothing")
        return self._declared.resources[relation.to]

    def _check_stored(self, path: tuple[str, ...], field: Field) -> None:
        reason = None
        if field.transient:
            reason = "is never stored"
        elif field.secret:
            reason = "is a secret"
        elif field.rollup or (field.computed and self._scope.use != "rule"):
            reason = "is computed itself"
        if reason:
            raise ExpressionError(f"`{'.'.join(path)}` {reason} and cannot stand here", code="not_here")

    def _unknown(self, path: tuple[str, ...], at: int, known: Mapping[str, object]) -> str:
        name = path[at]
        if at == 0 and self._scope.resource is None:
            words = [*WORDS[:2], *self._rules_here()]
            return f"unknown name `{name}`: there is no row here{did_you_mean(name, words)}"
        words = [*known, *(self._rules_here() if at == 0 else ()), *(WORDS if at == 0 else ())]
        return f"unknown name `{'.'.join(path)}`{did_you_mean(name, words)}"

    def _rules_here(self) -> list[str]:
        prefix = f"{self._scope.plugin}."
        return [name.removeprefix(prefix) for name in self._declared.rules if name.startswith(prefix)]
