"""Expressions with every name resolved where they stand: conditions where true or false is asked for, values elsewhere.

The linker resolves every expression once to find problems; whoever wants the resolved tree calls `resolve` too.
"""

from __future__ import annotations

from dataclasses import replace

from host.declaration import trees as tree
from host.declaration.comparisons import check_comparison
from host.declaration.expressions import WORDS
from host.declaration.keys import key_fields
from host.declaration.meanings import Declared, Meanings, Scope, Use
from host.declaration.memberships import membership
from host.declaration.nodes import Field, Relation
from host.declaration.syntax import CONDITIONS, ExpressionError, parse

__all__ = ["Declared", "Scope", "Use", "inside_rule", "resolve"]


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
        self._names = Meanings(declared, scope)

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
                return self._names.me(path)
            case tree.Now():
                if self._scope.use in ("check", "where"):
                    raise ExpressionError("`now` changes: it cannot stand here", code="not_here")
                return expr
            case tree.Arithmetic(operator, left, right):
                return tree.Arithmetic(operator, self.operand(left), self.operand(right))
            case tree.Negative(item):
                return tree.Negative(self.operand(item))
            case tree.Call(name, arguments) if name not in CONDITIONS:
                return self._called(name, arguments)
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

    def _called(self, name: str, arguments: tuple[tree.Expr, ...]) -> tree.Expr:
        resolved = tuple(self.operand(it) for it in _counted(name, arguments))
        if name == "age":
            self._check_age(resolved[0])
        if name == "text":
            self._check_text(resolved[0])
        return tree.Call(name, resolved)

    def _check_text(self, argument: tree.Expr) -> None:
        attribute = self._attribute_of(argument)
        key = key_fields(self._names.target(attribute)) if isinstance(attribute, Relation) else {}
        field = next(iter(key.values()), None) if isinstance(attribute, Relation) else attribute
        if not isinstance(field, Field) or field.type != "integer":
            # Everything else is written differently by the two databases.
            raise ExpressionError(
                "text() takes a whole number, or a relation whose key is one", code="arguments"
            )

    def _check_age(self, argument: tree.Expr) -> None:
        if self._scope.use in ("check", "where"):
            raise ExpressionError("`age()` changes: it cannot stand here", code="not_here")
        attribute = self._attribute_of(argument)
        if not isinstance(attribute, Field) or attribute.type != "datetime":
            raise ExpressionError("age() takes a field of the type datetime", code="arguments")

    def _attribute_of(self, expr: tree.Expr) -> Field | Relation | None:
        return self._names.follow(expr.path) if isinstance(expr, tree.Column) else None

    def _named_condition(self, path: tuple[str, ...]) -> tree.Expr:
        name = path[0]
        if len(path) == 1 and name in WORDS and not self._names.shadows(name):
            return self._names.word(name)
        rule = self._names.rule(path)
        if rule and name not in self._names.attributes:
            if self._scope.use != "rule":
                message = f"the rule `{'.'.join(path)}` cannot stand here: only the row's fields can"
                raise ExpressionError(message, code="not_here")
            return tree.RuleRef(rule)
        column = self._names.column(path)
        attribute = self._names.follow(column.path)
        if not isinstance(attribute, Field) or attribute.type != "boolean":
            message = f"`{'.'.join(path)}` is a value, not a condition: compare it with something"
            raise ExpressionError(message, code="not_a_condition")
        return column

    def _value(self, path: tuple[str, ...]) -> tree.Expr:
        owned = self._names.resource.mixins.owned if self._names.resource else None
        if path == ("owner",) and owned and not self._names.shadows("owner"):
            return tree.Column((owned.name,))
        column = self._names.column(path)
        if isinstance(self._names.follow(column.path), Relation) and self._is_many(column.path):
            message = f"`{'.'.join(path)}` is many rows: use any(), all() or member()"
            raise ExpressionError(message, code="comparison")
        return column

    def _is_many(self, path: tuple[str, ...]) -> bool:
        attribute = self._names.follow(path)
        return isinstance(attribute, Relation) and attribute.many

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
        if call.name == "member":
            return self._member(call)
        least = 2 if call.name == "all" else 1
        if not least <= len(call.arguments) <= 2 or not isinstance(call.arguments[0], tree.Column):
            message = f"{call.name}() is written {call.name}(members, role_name == 'admin')"
            raise ExpressionError(message, code="arguments")
        column = self._names.column(call.arguments[0].path)
        relation = self._names.follow(column.path)
        if not isinstance(relation, Relation) or not relation.many:
            message = f"{call.name}() asks a relation to many rows, `{'.'.join(column.path)}` is none"
            raise ExpressionError(message, code="arguments")
        self._names.target(relation)
        inner = _Resolver(self._declared, replace(self._scope, resource=relation.to))
        return tree.Call(call.name, (column, *(inner.condition(it) for it in call.arguments[1:])))

    def _member(self, call: tree.Call) -> tree.Expr:
        if self._scope.resource is None:
            raise ExpressionError("there is no row here that could have members", code="not_here")
        if call.arguments and isinstance(call.arguments[0], tree.Column):
            relation = self._names.follow(self._names.column(call.arguments[0].path).path)
            if isinstance(relation, Relation):
                self._names.target(relation)
        membership(self._declared.resources, self._scope.resource, call)
        return call


def _counted(name: str, arguments: tuple[tree.Expr, ...]) -> tuple[tree.Expr, ...]:
    least, most = {"coalesce": (2, 8), "round": (1, 2)}.get(name, (1, 1))
    if not least <= len(arguments) <= most:
        number = "one value" if most == 1 else f"{least} to {most} values"
        raise ExpressionError(f"{name}() takes {number}", code="arguments")
    return arguments
