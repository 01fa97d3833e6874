"""From a rule as it is declared to a formula of `logic`, for one kind of actor.

What the actor alone decides is decided here. A name stands for what it is declared to be, so that a rule that reads the same
over other relations is another rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from host.access.logic import All, Any_, Atom, Decided, Formula, Inverse, Linked, Tested
from host.declaration.expressions import (
    And,
    Call,
    Column,
    Compare,
    Expr,
    Items,
    Me,
    Not,
    Or,
    RuleRef,
    Word,
    walk,
)
from host.declaration.expressions import Literal as Constant
from host.declaration.keys import attributes
from host.declaration.memberships import ROLE, membership
from host.declaration.nodes import AnyOf, Declaration, Field, Relation, Resource
from host.declaration.scopes import Scope, inside_rule, resolve
from host.declaration.workspace import ACCOUNT


@dataclass(frozen=True)
class Kind:
    """A kind of actor: nobody, somebody, or somebody with a role."""

    is_authenticated: bool = False
    role: str | None = None


@dataclass(frozen=True)
class Lowering:
    """Lowers the rules of one version of a site, over rows of one resource. `known` collects the values of enums."""

    declaration: Declaration
    scope: Scope
    kind: Kind
    known: dict[str, tuple[Any, ...]] = field(default_factory=dict, compare=False)

    def rule(self, rule: AnyOf) -> Formula:
        """Any of its conditions; nothing where there is no rule."""
        return Any_(tuple(self.condition(resolve(self.declaration, self.scope, text)) for text in rule))

    def condition(self, expr: Expr) -> Formula:
        """One resolved expression."""
        match expr:
            case And(items):
                return All(tuple(self.condition(item) for item in items))
            case Or(items):
                return Any_(tuple(self.condition(item) for item in items))
            case Not(item):
                return Inverse(self.condition(item))
            case Word(name):
                return self._word(name)
            case RuleRef(name):
                inner = replace(self, scope=inside_rule(self.scope, name))
                return inner.rule(self.declaration.rules[name].when)
            case Compare():
                return self._compare(expr)
            case Call(name):
                return self._call(expr)
            case Column():
                return Tested(self._key(expr), "in", (True,))
            case Constant(bool() as value):
                return Decided(value)
        return Atom(self._key(expr))

    def _word(self, name: Literal["public", "authenticated", "owner"]) -> Formula:
        if name == "owner":
            return self._compare(Compare("==", Column((self._owner(),)), Me()))
        return Decided(name == "public" or self.kind.is_authenticated)

    def _owner(self) -> str:
        owned = self._resource.mixins.owned
        assert owned is not None  # the linker refuses `owner` without the mixin
        return owned.name

    @property
    def _resource(self) -> Resource:
        return self.declaration.resources[self.scope.resource or ""]

    # -- comparisons --

    def _compare(self, expr: Compare) -> Formula:
        operator, left, right = expr.operator, expr.left, expr.right
        if operator in ("!=", "not in", "is not"):
            positive: Any = {"!=": "==", "not in": "in", "is not": "is"}[operator]
            return Inverse(self._compare(Compare(positive, left, right)))
        if not self.kind.is_authenticated and (isinstance(left, Me) or isinstance(right, Me)):
            return Decided(True if operator == "is" else None)
        if isinstance(left, Constant) and not isinstance(right, Constant):
            mirrored: Any = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
            operator, left, right = mirrored, right, left
        if isinstance(left, Column | Me) and isinstance(right, Constant | Items):
            constants = right.values if isinstance(right, Items) else (right.value,)
            if operator == "is":
                return Tested(self._key(left), "is")
            return Tested(self._key(left), "in" if operator in ("==", "in") else operator, constants)  # type: ignore[arg-type]
        return self._opaque(operator, left, right)

    def _opaque(self, operator: str, left: Expr, right: Expr) -> Formula:
        """Two things that are not known, in one order and with `==` and `<` alone."""
        a, b = self._key(left), self._key(right)
        is_actor = operator == "==" and (self._is_actor(left, right) or self._is_actor(right, left))
        if operator == "==":
            a, b = sorted((a, b))
            return Atom(f"{a} == {b}", is_actor)
        if operator == ">":
            return Atom(f"{b} < {a}")
        if operator == "<=":
            return Inverse(Atom(f"{b} < {a}"))
        if operator == ">=":
            return Inverse(Atom(f"{a} < {b}"))
        return Atom(f"{a} {operator} {b}")

    def _is_actor(self, one: Expr, other: Expr) -> bool:
        """Whether a comparison says that a row is the actor's: a relation to an account, or the account itself."""
        if not isinstance(one, Me) or not isinstance(other, Column):
            return False
        end = self._follow(other.path)[-1]
        if self.scope.resource == ACCOUNT and other.path in (("id",), ("number",), ("hex",)):
            return True
        return isinstance(end, Relation) and end.account is not None

    # -- functions --

    def _call(self, call: Call) -> Formula:
        if call.name == "role":
            return Decided(
                any(isinstance(it, Constant) and it.value == self.kind.role for it in call.arguments)
            )
        if call.name == "member":
            return self._member(call)
        path = call.arguments[0] if call.arguments else None
        relation = self._many(path)
        if relation is None or call.name not in ("any", "all"):
            return Atom(self._key(call))
        condition = (
            self._inside(relation).condition(call.arguments[1]) if len(call.arguments) > 1 else Decided(True)
        )
        return Linked(self._key(path), "any" if call.name == "any" else "all", condition)  # type: ignore[arg-type]

    def _many(self, path: Expr | None) -> Relation | None:
        if not isinstance(path, Column) or len(path.path) != 1:
            return None
        found = attributes(self._resource).get(path.path[0])
        return found if isinstance(found, Relation) and found.many else None

    def _member(self, call: Call) -> Formula:
        """A row over there is the actor's, in one of the roles."""
        if not self.kind.is_authenticated:
            return Decided(False)
        asked = membership(self.declaration.resources, self.scope.resource or "", call)
        relation = self._follow(asked.path)[-1]
        assert isinstance(relation, Relation)  # the linker checked it
        inside = self._inside(relation)
        own = Atom(f"{inside.scope.resource}.{asked.relation or 'account'} == me", is_actor=True)
        if asked.relation is not None:
            key = inside._opaque("==", Column((asked.relation,)), Me())
            own = Atom(key.key, is_actor=True) if isinstance(key, Atom) else own
        roles = Tested(inside._key(Column((ROLE,))), "in", asked.roles) if asked.roles else Decided(True)
        return Linked(self._key(Column(asked.path)), "any", All((own, roles)) if asked.roles else own)

    def _inside(self, relation: Relation) -> Lowering:
        return replace(self, scope=replace(self.scope, resource=relation.to))

    # -- names --

    def _key(self, expr: Expr) -> str:
        """An expression in one spelling, with what its names are declared to be."""
        match expr:
            case Column(path):
                return self._column_key(path)
            case Me(path):
                return ".".join(("me", *path))
            case Call(name, arguments):
                return f"{name}({', '.join(map(self._key, arguments))})"
        names = sorted(self._column_key(it.path) for it in walk(expr) if isinstance(it, Column))
        return f"{expr!r} {names}"

    def _column_key(self, path: tuple[str, ...]) -> str:
        steps = self._follow(path)
        key = f"{self.scope.resource}.{'.'.join(path)}[{'; '.join(map(_defined, steps))}]"
        end = steps[-1]
        if isinstance(end, Field) and end.values:
            self.known[key] = tuple(dict.fromkeys((*self.known.get(key, ()), *end.values)))
        return key

    def _follow(self, path: tuple[str, ...]) -> list[Field | Relation]:
        resource, found = self._resource, []
        for at, name in enumerate(path):
            step = attributes(resource)[name]
            found.append(step)
            if isinstance(step, Relation) and at < len(path) - 1:
                resource = self.declaration.resources[step.to]
        return found


def _defined(step: Field | Relation) -> str:
    """What tells one field or relation from another of its name, as far as rules are concerned."""
    if isinstance(step, Relation):
        return f"{step.to} {step.many} {step.by} {step.through}"
    return f"{step.type} {step.computed or ''} {step.rollup or ''}"


def roles_in(declaration: Declaration, rules: Iterator[tuple[Scope, AnyOf]]) -> set[str]:
    """Every role that some rule names, as deep as named rules go."""
    found: set[str] = set()
    for scope, rule in rules:
        for text in rule:
            _roles(declaration, scope, resolve(declaration, scope, text), found)
    return found


def _roles(declaration: Declaration, scope: Scope, expr: Expr, found: set[str]) -> None:
    for part in walk(expr):
        if isinstance(part, Call) and part.name == "role":
            found.update(str(it.value) for it in part.arguments if isinstance(it, Constant))
        elif isinstance(part, RuleRef):
            for text in declaration.rules[part.name].when:
                inner = inside_rule(scope, part.name)
                _roles(declaration, inner, resolve(declaration, inner, text), found)
