"""SQL of expressions: a tree over a model's row becomes one SQLAlchemy condition or value.

What depends on the actor alone (`authenticated`, `role()`) is decided while compiling, from `Facts`, so that the database
sees a plain condition it can use an index for; keys and fields of the actor stay parameters named `me_…`.
"""

# long: each kind of node has its compiler here, and they call each other

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from host.compiler.aggregates import alike, summed
from host.compiler.arithmetic import FUNCTIONS, computed, settled
from host.compiler.constants import constant
from host.compiler.models import ACCOUNT, Attribute, Link, Model, Models
from host.declaration.expressions import (
    And,
    Arithmetic,
    Call,
    Column,
    Compare,
    Expr,
    Items,
    Literal,
    Me,
    Negative,
    Not,
    Now,
    Or,
    RuleRef,
    Word,
    parse,
)
from host.declaration.memberships import ROLE, membership
from host.declaration.nodes import Rule
from host.fields.columns import Instant

Sql = Any  # a ColumnElement, or True or False once it is decided
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What is known of the actor before the query; hashable, so that compiled predicates are kept by it."""

    is_authenticated: bool = False
    roles: frozenset[str] = frozenset()
    is_system: bool = False


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: the row's model and source, and what is known of the actor."""

    model: Model | None
    models: Models
    rules: Mapping[str, Rule] = field(default_factory=dict)
    facts: Facts = Facts()
    source: Any = None  # the table or an alias of it
    plugin: str = ""  # whose rules bare names mean
    fixed: Mapping[tuple[str, ...], Any] = field(
        default_factory=dict
    )  # relations with a known value, by their path
    key: Any = None  # of this row, where it is known without looking at the row
    known: Mapping[tuple[str, ...], Any] = field(
        default_factory=dict
    )  # what is fixed for rules about single fields

    def column(self, name: str) -> Any:
        """The column or SQL value of an attribute of this row."""
        attribute = self.attribute(name)
        if attribute.column is not None:
            table = self.source if self.source is not None else self.table
            return table.c[attribute.column.name]
        if attribute.field.computed is not None:
            return settled(to_sql(parse(attribute.field.computed), self), attribute.type)
        made = rollup(attribute, self)
        is_count = attribute.field.rollup is not None and attribute.field.rollup.function == "count"
        return made if is_count else settled(made, attribute.type)

    @property
    def table(self) -> sa.Table:
        """The row's table."""
        assert self.model is not None  # the linker refuses fields where there is no row
        return self.model.table

    def attribute(self, name: str) -> Attribute:
        """An attribute of this row's model."""
        assert self.model is not None
        return self.model.attributes[name]

    def inside(self, model: Model) -> Scope:
        """The scope of another row, under an alias of its own."""
        return replace(self, model=model, source=model.table.alias(), fixed={}, key=None, known={})

    def beyond(self, relation: str, model: Model) -> Scope:
        """The scope of the row that a relation leads to, with what is known of that row."""
        known = {
            path[1:]: value for path, value in self.fixed.items() if path[0] == relation and len(path) > 1
        }
        return replace(self.inside(model), fixed=known)


def to_sql(expr: Expr, scope: Scope) -> Sql:
    """The expression as SQL; Python's True and False where it is decided already."""
    return _COMPILERS[type(expr)](expr, scope)


# --- values -----------------------------------------------------------------------------------------------------------


def _column(expr: Column, scope: Scope) -> Sql:
    *relations, last = expr.path
    if is_rule(expr.path, scope):
        return _rule(RuleRef(".".join(expr.path)), scope)
    if expr.path in scope.fixed:
        return scope.fixed[expr.path]
    if not relations:
        return scope.column(last)
    return _through(relations, scope, lambda inner: inner.column(last))


def is_rule(path: tuple[str, ...], scope: Scope) -> bool:
    """Whether a name means a named rule; the linker refuses a name that could mean both."""
    return (scope.model is None or path[0] not in scope.model.attributes) and qualified(
        ".".join(path), scope
    ) in scope.rules


def qualified(name: str, scope: Scope) -> str:
    """A rule's qualified name."""
    return name if "." in name else f"{scope.plugin}.{name}"


def _through(relations: list[str], scope: Scope, value: Callable[[Scope], Any]) -> Any:
    """A value over there, as a correlated subselect: it never multiplies rows."""
    first, *rest = relations
    attribute = scope.attribute(first)
    assert attribute.relation is not None  # the linker checked it
    inner = scope.beyond(first, scope.models[attribute.relation.to])
    selected = _through(rest, inner, value) if rest else value(inner)
    here = scope.fixed.get((first,), scope.column(first))
    return (
        sa.select(selected)
        .select_from(inner.source)
        .where(referred(attribute, inner) == here)
        .scalar_subquery()
    )


def referred(attribute: Attribute, inner: Scope) -> Any:
    """The column of the other row that a to-one relation refers to."""
    assert attribute.relation is not None and inner.model is not None
    by = attribute.relation.by
    return inner.column(by) if by not in (None, "id") else inner.column(inner.model.keys[0].name)


def rollup(attribute: Attribute, scope: Scope) -> Any:
    """An aggregate over a to-many relation as a correlated subselect."""
    declared = attribute.field.rollup
    assert declared is not None and scope.model is not None
    path, _, value_name = declared.over.partition(".")
    link = scope.model.links[path]
    inner = scope.inside(scope.models[link.target])
    conditions = [belongs(link, scope, inner), *_alive(inner)]
    if declared.where:
        conditions.append(to_sql(parse(declared.where), inner))
    if declared.function == "count":
        value: Any = sa.func.count()
    else:
        function = summed if declared.function == "sum" else getattr(sa.func, declared.function)
        value = function(_signed(inner.column(value_name), declared.less, inner))
    if declared.empty is not None:
        value = sa.func.coalesce(value, sa.literal_column(str(declared.empty)))
    return sa.select(value).select_from(inner.source).where(*conditions).scalar_subquery()


def _signed(value: Any, less: str | None, scope: Scope) -> Any:
    """The value, or what takes it away from a sum in rows for which the condition holds."""
    return sa.case((to_sql(parse(less), scope), -value), else_=value) if less else value


def belongs(link: Link, scope: Scope, inner: Scope) -> Any:
    """The condition that a row over there (`inner`) is linked to this one."""
    assert scope.model is not None and inner.model is not None
    here = scope.key if scope.key is not None else scope.column(scope.model.keys[0].name)
    if link.back is not None:
        return inner.column(link.back) == here
    assert link.table is not None and link.here is not None and link.there is not None
    joined = sa.select(sa.literal(1)).where(
        link.here == here, link.there == inner.column(inner.model.keys[0].name)
    )
    return sa.exists(joined)


def _alive(scope: Scope) -> list[Any]:
    deleted = scope.model.deleted if scope.model is not None else None
    return [scope.column(deleted.name).is_(None)] if deleted is not None else []


def _me(expr: Me, scope: Scope) -> Sql:
    account = scope.models.get(ACCOUNT)
    name = expr.path[0] if expr.path else "id"
    attribute = account.attributes.get(name) if account is not None else None
    kind = attribute.column.type if attribute is not None and attribute.column is not None else sa.String()
    return sa.bindparam(f"me_{name}", type_=kind)


def _now(expr: Now, scope: Scope) -> Sql:
    return sa.bindparam("now", type_=Instant())


def _arithmetic(expr: Arithmetic, scope: Scope) -> Sql:
    return computed(expr.operator, to_sql(expr.left, scope), to_sql(expr.right, scope))


def _literal(expr: Literal, scope: Scope) -> Sql:
    if expr.value is None:
        return sa.null()
    return expr.value if isinstance(expr.value, bool) else sa.literal(expr.value)


# --- conditions -------------------------------------------------------------------------------------------------------


def _compare(expr: Compare, scope: Scope) -> Sql:
    sides = tuple(_owner_column(side, scope) for side in (expr.left, expr.right))
    left, right = (_actor_key(side, other, scope) for side, other in (sides, sides[::-1]))
    if not scope.facts.is_authenticated and (isinstance(left, Me) or isinstance(right, Me)):
        return _anonymous(expr)
    if isinstance(right, Items):
        return _membership(expr, to_sql(left, scope), right)
    a, b = to_sql(left, scope), to_sql(right, scope)
    if expr.operator in ("is", "is not"):
        return a.is_(None) if expr.operator == "is" else a.is_not(None)
    if isinstance(a, bool) and isinstance(b, bool):
        return COMPARISONS[expr.operator](a, b)
    if isinstance(right, Literal) and not isinstance(a, bool):
        b = constant(right.value, a.type)
    elif isinstance(left, Literal) and not isinstance(b, bool):
        a = constant(left.value, b.type)
    a, b = alike(a, b)
    return COMPARISONS[expr.operator](a, b)


def _anonymous(expr: Compare) -> Sql:
    """Nobody has no values: `is None` holds, every other comparison is false, also under `not`."""
    return expr.operator == "is" if expr.operator in ("is", "is not") else sa.null()


def _owner_column(side: Expr, scope: Scope) -> Expr:
    """In a comparison the word `owner` is the relation itself."""
    owner = scope.model.owner if scope.model is not None else None
    return Column((owner.name,)) if side == Word("owner") and owner is not None else side


def _actor_key(side: Expr, other: Expr, scope: Scope) -> Expr:
    """`me` beside a relation to the account means the form of its key that the relation stores."""
    if side != Me() or not isinstance(other, Column) or scope.model is None:
        return side
    attribute = terminal(other.path, scope)
    by = attribute.relation.account if attribute is not None and attribute.relation is not None else None
    return Me((by,)) if by else side


def terminal(path: tuple[str, ...], scope: Scope) -> Attribute | None:
    """The attribute at the end of a dotted path."""
    model = scope.model
    for step in path[:-1]:
        relation = model.attributes[step].relation if model is not None else None
        model = scope.models[relation.to] if relation is not None else None
    return model.attributes.get(path[-1]) if model is not None else None


def _membership(expr: Compare, value: Any, items: Items) -> Sql:
    values = [constant(item, value.type) for item in items.values]
    return value.in_(values) if expr.operator == "in" else value.not_in(values)


def _and(expr: And, scope: Scope) -> Sql:
    return _fold([to_sql(item, scope) for item in expr.items], sa.and_, decided=False)


def _or(expr: Or, scope: Scope) -> Sql:
    return _fold([to_sql(item, scope) for item in expr.items], sa.or_, decided=True)


def _fold(items: list[Sql], join: Callable[..., Any], *, decided: bool) -> Sql:
    """Join conditions, of which `decided` alone settles the whole and its opposite does not count."""
    if any(item is decided for item in items):
        return decided
    open_items = [item for item in items if item is not (not decided)]
    if not open_items:
        return not decided
    return open_items[0] if len(open_items) == 1 else join(*open_items)


def _not(expr: Not, scope: Scope) -> Sql:
    inner = to_sql(expr.item, scope)
    if isinstance(inner, bool):
        return not inner
    return sa.null() if isinstance(inner, sa.sql.elements.Null) else sa.not_(inner)


def _word(expr: Word, scope: Scope) -> Sql:
    if expr.name == "public":
        return True
    if expr.name == "authenticated":
        return scope.facts.is_authenticated
    owner = scope.model.owner if scope.model is not None else None
    assert owner is not None  # the linker refuses `owner` without the mixin
    return to_sql(Compare("==", Column((owner.name,)), Me()), scope)


def _rule(expr: RuleRef, scope: Scope) -> Sql:
    name = qualified(expr.name, scope)
    return any_of(scope.rules[name].when, replace(scope, plugin=name.partition(".")[0]))


def any_of(conditions: tuple[str, ...], scope: Scope) -> Sql:
    """A rule as written: any of its conditions. What can only be absent for this actor does not hold."""
    found = [to_sql(parse(condition), scope) for condition in conditions]
    return _fold([item for item in found if not _never_holds(item)], sa.or_, decided=True)


def _never_holds(item: Sql) -> bool:
    """Whether a condition compares with what this actor does not have, by itself or together with others."""
    if isinstance(item, sa.sql.elements.BooleanClauseList) and item.operator is sa.sql.operators.and_:
        return any(_never_holds(part) for part in item.clauses)
    return isinstance(item, sa.sql.elements.Null)


def _call(expr: Call, scope: Scope) -> Sql:
    if expr.name == "role":
        return any(isinstance(item, Literal) and item.value in scope.facts.roles for item in expr.arguments)
    if expr.name == "member":
        return _member(expr, scope)
    if expr.name in ("any", "all"):
        return _quantified(expr, scope)
    return FUNCTIONS[expr.name](*(to_sql(argument, scope) for argument in expr.arguments))


def _member(expr: Call, scope: Scope) -> Sql:
    """`member(…)`: the actor is one of the accounts over there, or one that the rows over there refer to, in a role."""
    if not scope.facts.is_authenticated:
        return False
    assert scope.model is not None  # the linker refuses it where there is no row
    asked = membership({name: it.declared for name, it in scope.models.items()}, scope.model.name, expr)
    if asked.relation is None:
        condition: Expr = Compare("==", Column(("id",)), Me((_form(asked.path, scope),)))
    else:
        condition = Compare("==", Column((asked.relation,)), Me())
    if asked.roles:
        condition = And((condition, Compare("in", Column((ROLE,)), Items(asked.roles))))
    return _quantified(Call("any", (Column(asked.path), condition)), scope)


def _form(path: tuple[str, ...], scope: Scope) -> str:
    """The form of the actor's key by which the accounts at the end of a path are told."""
    model = scope.model
    for step in path:
        assert model is not None
        relation = model.attributes[step].relation if step in model.attributes else model.links[step].relation
        assert relation is not None  # the linker followed the path
        model = scope.models[relation.to]
    identity = model.declared.identity if model is not None else None
    return identity.key if identity is not None else "id"


def _quantified(expr: Call, scope: Scope) -> Sql:
    """`any(path, condition)` and `all(path, condition)`: names in the condition are those of the rows over there."""
    path = expr.arguments[0]
    assert isinstance(path, Column)
    *steps, last = path.path
    return _reaching(tuple(steps), scope, lambda there: _over_rows(expr, last, there))


def _reaching(steps: tuple[str, ...], scope: Scope, decide: Callable[[Scope], Sql]) -> Sql:
    """A condition on the row that to-one relations lead to; without such a row it does not hold."""
    if not steps:
        return decide(scope)
    attribute = scope.attribute(steps[0])
    assert attribute.relation is not None  # the linker checked it
    model = scope.models[attribute.relation.to]
    here = scope.fixed.get(steps[:1], scope.column(steps[0]))
    if len(steps) == 1 and attribute.relation.by in (None, "id") and model.deleted is None:
        # A row that refers to another one has it: its key is all that is needed of it.
        found = decide(replace(scope.beyond(steps[0], model), key=here))
        return _fold([found, here.is_not(None)], sa.and_, decided=False) if attribute.is_nullable else found
    inner = scope.beyond(steps[0], model)
    found = _reaching(steps[1:], inner, decide)
    there = [referred(attribute, inner) == here, *_alive(inner), _as_sql(found)]
    return sa.exists(sa.select(sa.literal(1)).select_from(inner.source).where(*there))


def _over_rows(expr: Call, name: str, scope: Scope) -> Sql:
    assert scope.model is not None
    link = scope.model.links[name]
    inner = scope.inside(scope.models[link.target])
    condition = to_sql(expr.arguments[1], inner) if len(expr.arguments) > 1 else True
    related = [belongs(link, scope, inner), *_alive(inner)]
    if expr.name == "any":
        return sa.exists(
            sa.select(sa.literal(1)).select_from(inner.source).where(*related, _as_sql(condition))
        )
    failing = sa.func.coalesce(_as_sql(condition), sa.false()).is_(sa.false())
    return ~sa.exists(sa.select(sa.literal(1)).select_from(inner.source).where(*related, failing))


def _as_sql(condition: Sql) -> Any:
    return sa.true() if condition is True else sa.false() if condition is False else condition


_COMPILERS: Mapping[type, Callable[[Any, Scope], Sql]] = {
    Literal: _literal, Column: _column, Me: _me, Now: _now, Word: _word, RuleRef: _rule, Compare: _compare, And: _and,
    Or: _or, Not: _not, Arithmetic: _arithmetic, Negative: lambda expr, scope: -to_sql(expr.item, scope), Call: _call,
}  # fmt: skip
