"""What names in an expression mean: a field, a relation's path, a named rule or one of the words.

The linker resolves every expression once to find problems; `access` and `compiler` resolve the same texts again, with
`resolve`, to get the tree. A name that could mean two things is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from host.declaration import trees as tree
from host.declaration.comparisons import check_comparison
from host.declaration.expressions import WORDS
from host.declaration.keys import attributes
from host.declaration.nodes import Field, Relation, Resource, Rule
from host.declaration.problems import did_you_mean
from host.declaration.syntax import CONDITIONS, ExpressionError, parse
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


def resolve(declared: Declared, scope: Scope, text: str) -> tree.Expr:
    """The tree of an expression with every name resolved; raises `ExpressionError` on the first that is not."""
    resolver = _Resolver(declared, scope)
    parsed = parse(text)
    return resolver.operand(parsed) if scope.use == "computed" else resolver.condition(parsed)


def inside_rule(scope: Scope, rule: str) -> Scope:
    """The scope of a named rule's own text where `scope` refers to it: the rule's plugin, the same rows."""
    return replace(scope, plugin=rule.partition(".")[0])


class _Resolver:
    """Resolves one expression; `condition` where true or false is asked for, `operand` where a value is."""

    def __init__(self, declared: Declared, scope: Scope) -> None:
        self._declared = declared
        self._scope = scope
        self._resource = declared.resources[scope.resource] if scope.resource else None
        self._attributes = attributes(self._resource) if self._resource else {}

    def condition(self, expr: tree.Expr) -> tree.Expr:
        match expr:
            case tree.And(items):
                return tree.And(tuple(self.condition(it) for it in items))
            case tree.Or(items):
                return tree.Or(tuple(self.condition(it) for it in items))
            case tree.Not(item):
                return tree.Not(self.condition(item))
            case tree.Compare(operator, left, right):
                return self._compare(operator, left, right)
            case tree.Call(name) if name in CONDITIONS:
                return self._function(expr)
            case tree.Column(path):
                return self._named_condition(path)
            case tree.Literal(bool()):
                return expr
        raise ExpressionError(
            "this is a value, not a condition: compare it with something", code="not_a_condition"
        )

    def operand(self, expr: tree.Expr) -> tree.Expr:
        match expr:
            case tree.Column(path):
                return self._value(path)
            case tree.Me(path):
                return self._me(path)
            case tree.Now():
                if self._scope.use in ("check", "where"):
                    raise ExpressionError("`now` changes: it cannot stand here", code="not_here")
                return expr
            case tree.Arithmetic(operator, left, right):
                return tree.Arithmetic(operator, self.operand(left), self.operand(right))
            case tree.Negative(item):
                return tree.Negative(self.operand(item))
            case tree.Call(name, arguments) if name not in CONDITIONS:
                return tree.Call(name, tuple(self.operand(it) for it in _counted(name, arguments)))
            case tree.Literal() | tree.Items():
                return expr
        if self._scope.use == "computed":
            return self.condition(expr)
        raise ExpressionError(
            "a condition cannot be compared: join conditions by `and` and `or`", code="comparison"
        )

    def _compare(self, operator: str, left: tree.Expr, right: tree.Expr) -> tree.Expr:
        resolved = tree.Compare(operator, self.operand(left), self.operand(right))  # type: ignore[arg-type]
        check_comparison(resolved, self._attribute_of(resolved.left), self._attribute_of(resolved.right))
        return resolved

    def _attribute_of(self, expr: tree.Expr) -> Field | Relation | None:
        return self._follow(expr.path) if isinstance(expr, tree.Column) else None

    # --- names --------------------------------------------------------------------------------------------------------

    def _named_condition(self, path: tuple[str, ...]) -> tree.Expr:
        name = path[0]
        if len(path) == 1 and name in WORDS and not self._shadows(name):
            return self._word(name)
        rule = self._rule(path)
        if rule and name not in self._attributes:
            self._check_rules_allowed(".".join(path))
            return tree.RuleRef(rule)
        column = self._column(path)
        attribute = self._follow(column.path)
        if not isinstance(attribute, Field) or attribute.type != "boolean":
            message = f"`{'.'.join(path)}` is a value, not a condition: compare it with something"
            raise ExpressionError(message, code="not_a_condition")
        return column

    def _value(self, path: tuple[str, ...]) -> tree.Expr:
        owned = self._resource.mixins.owned if self._resource else None
        if path == ("owner",) and owned and not self._shadows("owner"):
            return tree.Column((owned.name,))
        column = self._column(path)
        if isinstance(self._follow(column.path), Relation) and self._is_many(column.path):
            message = f"`{'.'.join(path)}` is many rows: use any(), all() or member()"
            raise ExpressionError(message, code="comparison")
        return column

    def _shadows(self, word: str) -> bool:
        """Whether a field of the resource has the name of a word; the mixin's own relation `owner` does not count."""
        owned = self._resource.mixins.owned if self._resource else None
        return word in self._attributes and not (
            word == "owner" and owned is not None and owned.name == "owner"
        )

    def _column(self, path: tuple[str, ...]) -> tree.Column:
        if path[0] == "row":
            if len(path) == 1:
                raise ExpressionError("`row` is followed by a field: `row.status`", code="unknown_name")
            path = path[1:]
        else:
            self._check_unambiguous(path)
        self._follow(path)
        return tree.Column(path)

    def _check_unambiguous(self, path: tuple[str, ...]) -> None:
        name = path[0]
        if name not in self._attributes:
            return
        if name in WORDS and self._shadows(name):
            message = f"`{name}` is a field here and a word of the language: write `row.{name}` for the field"
            raise ExpressionError(message, code="ambiguous_name")
        if len(path) == 1 and f"{self._scope.plugin}.{name}" in self._declared.rules:
            message = (
                f"`{name}` is a field here and a rule: write `row.{name}` for the field, or rename the rule"
            )
            raise ExpressionError(message, code="ambiguous_name")

    def _rule(self, path: tuple[str, ...]) -> str | None:
        name = ".".join(path) if len(path) == 2 else f"{self._scope.plugin}.{path[0]}"
        return name if len(path) <= 2 and name in self._declared.rules else None

    def _check_rules_allowed(self, name: str) -> None:
        if self._scope.use != "rule":
            raise ExpressionError(
                f"the rule `{name}` cannot stand here: only the row's fields can", code="not_here"
            )

    def _word(self, name: str) -> tree.Expr:
        if self._scope.use != "rule":
            raise ExpressionError(f"`{name}` cannot stand here: only the row's fields can", code="not_here")
        if name == "owner" and self._resource is None:
            raise ExpressionError("there is no row here that could have an owner", code="not_here")
        if name == "owner" and self._resource is not None and self._resource.mixins.owned is None:
            raise ExpressionError("the resource has no owner: add the mixin `owned`", code="no_mixin")
        return tree.Word(name)  # type: ignore[arg-type]

    def _me(self, path: tuple[str, ...]) -> tree.Expr:
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

    def _follow(self, path: tuple[str, ...]) -> Field | Relation:
        """The field or relation at the end of a path; every step before it is a to-one relation."""
        known: Mapping[str, Field | Relation] = self._attributes
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
            target = self._declared.resources.get(attribute.to)
            known = attributes(target) if target else {}
        raise ExpressionError("an empty path", code="unknown_name")

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

    def _is_many(self, path: tuple[str, ...]) -> bool:
        attribute = self._follow(path)
        return isinstance(attribute, Relation) and attribute.many

    # --- functions that are conditions --------------------------------------------------------------------------------

    def _function(self, call: tree.Call) -> tree.Expr:
        if self._scope.use != "rule":
            raise ExpressionError(
                f"{call.name}() cannot stand here: only the row's fields can", code="not_here"
            )
        if call.name == "role":
            names = [
                it for it in call.arguments if isinstance(it, tree.Literal) and isinstance(it.value, str)
            ]
            if not names or len(names) != len(call.arguments):
                raise ExpressionError("role() takes names of roles: role('admin')", code="arguments")
            return call
        return self._over(call)

    def _over(self, call: tree.Call) -> tree.Expr:
        most = 1 if call.name == "member" else 2
        least = 2 if call.name == "all" else 1
        if not least <= len(call.arguments) <= most or not isinstance(call.arguments[0], tree.Column):
            example = (
                "member(members)" if call.name == "member" else f"{call.name}(members, role_name == 'admin')"
            )
            raise ExpressionError(f"{call.name}() is written {example}", code="arguments")
        column = self._column(call.arguments[0].path)
        relation = self._follow(column.path)
        if not isinstance(relation, Relation) or not relation.many or len(column.path) > 1:
            message = (
                f"{call.name}() asks a relation of this row to many rows, `{'.'.join(column.path)}` is none"
            )
            raise ExpressionError(message, code="arguments")
        if call.name == "member":
            self._check_member(relation, column)
            return tree.Call("member", (column,))
        inner = _Resolver(self._declared, replace(self._scope, resource=relation.to))
        return tree.Call(call.name, (column, *(inner.condition(it) for it in call.arguments[1:])))

    def _check_member(self, relation: Relation, column: tree.Column) -> None:
        if relation.to == ACCOUNT or member_relation(self._declared.resources[relation.to]):
            return
        message = (
            f"member() needs rows with exactly one relation to an account, `{'.'.join(column.path)}` has not"
        )
        raise ExpressionError(message, code="arguments")


def member_relation(resource: Resource) -> str | None:
    """The relation that makes an account a member through a row of `resource`: its only to-one relation to an account."""
    owner = resource.mixins.owned.name if resource.mixins.owned else None
    found = [
        name
        for name, it in resource.relations.items()
        if it.to in (ACCOUNT, "account") and not it.many and name != owner
    ]
    return found[0] if len(found) == 1 else owner if not found else None


def _counted(name: str, arguments: tuple[tree.Expr, ...]) -> tuple[tree.Expr, ...]:
    least, most = {"coalesce": (2, 8), "round": (1, 2)}.get(name, (1, 1))
    if not least <= len(arguments) <= most:
        raise ExpressionError(f"{name}() takes {least} to {most} values", code="arguments")
    return arguments
