"""Rules as SQL against a naive reading of the same expressions in Python, on both databases."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.access import as_sql
from host.actor import ANONYMOUS, Actor
from host.compiler.expressions import to_sql
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
    Or,
    Word,
)
from tests.support.sites import Core, Declare

SITE = """
resources:
  box:
    access: public
    mixins: [owned]
    fields: {a: integer, b: integer, s: string, t: string, flag: boolean}
    relations: {parent: {to: box}, parts: {to: part, many: true, by: box}}
  part:
    access: public
    fields: {size: integer}
    relations: {box: {to: box, required: true}}
"""
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

numbers = st.recursive(
    st.one_of(
        st.sampled_from(
            [Column(("a",)), Column(("b",)), Column(("parent", "a")), Column(("parent", "parent", "b"))]
        ),
        st.integers(-3, 3).map(Literal),
    ),
    lambda inner: st.one_of(
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), inner, inner),
        st.builds(Negative, inner),
        st.builds(lambda x, y: Call("coalesce", (x, y)), inner, inner),
        st.builds(lambda x: Call("abs", (x,)), inner),
    ),
    max_leaves=4,
)
texts = st.one_of(
    st.sampled_from([Column(("s",)), Column(("t",)), Column(("parent", "s"))]),
    st.sampled_from(["x", "y", "X"]).map(Literal),
    st.sampled_from(["s", "t"]).map(lambda name: Call("lower", (Column((name,)),))),
)
accounts = st.just(Compare("==", Column(("owner",)), Me()))
atoms = st.one_of(
    st.builds(Compare, st.sampled_from(list(COMPARE)), numbers, numbers),
    st.builds(Compare, st.sampled_from(["==", "!="]), texts, texts),
    st.builds(
        lambda op, value, items: Compare(op, value, Items(tuple(items))),
        st.sampled_from(["in", "not in"]), numbers, st.lists(st.integers(-2, 2), min_size=1, max_size=3),
    ),
    st.builds(
        lambda op, value: Compare(op, value, Literal(None)),
        st.sampled_from(["is", "is not"]), st.one_of(numbers, texts, st.just(Me())),
    ),
    st.just(Column(("flag",))),
    accounts,
    st.sampled_from([Compare("!=", Column(("owner",)), Me()), Word("owner"), Word("public"), Word("authenticated")]),
    st.sampled_from(["admin", "user"]).map(lambda role: Call("role", (Literal(role),))),
    st.builds(
        lambda name, op, value: Call(name, (Column(("parts",)), Compare(op, Column(("size",)), Literal(value)))),
        st.sampled_from(["any", "all"]), st.sampled_from(list(COMPARE)), st.integers(-1, 1),
    ),
)  # fmt: skip
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


class Oracle:
    """Three-valued truth in Python: None is absent."""

    def __init__(self, rows: dict[str, dict[str, Any]], parts: list[dict[str, Any]], actor: Actor) -> None:
        self.rows, self.parts, self.actor = rows, parts, actor

    def value(self, expr: Expr, row: dict[str, Any]) -> Any:
        match expr:
            case Literal(value):
                return value
            case Column(path):
                return self._path(path, row)
            case Me():
                return self.actor.id
            case Negative(item):
                value = self.value(item, row)
                return None if value is None else -value
            case Arithmetic(sign, left, right):
                a, b = self.value(left, row), self.value(right, row)
                if a is None or b is None:
                    return None
                return {"+": a + b, "-": a - b, "*": a * b}[sign]
        return self._truth(expr, row)

    def _truth(self, expr: Expr, row: dict[str, Any]) -> Any:
        match expr:
            case Word("owner"):
                return self._compared("==", row["owner"], self.actor.id)
            case Word(name):
                return name == "public" or self.actor.is_authenticated
            case Compare():
                return self._compare(expr, row)
            case And(items):
                return self._all([self.value(item, row) for item in items])
            case Or(items):
                return self._negated(self._all([self._negated(self.value(item, row)) for item in items]))
            case Not(item):
                return self._negated(self.value(item, row))
            case Call():
                return self._call(expr, row)
        raise AssertionError(expr)

    def _path(self, path: tuple[str, ...], row: dict[str, Any] | None) -> Any:
        for step in path[:-1]:
            row = self.rows.get(row[step]) if row is not None else None
        return row[path[-1]] if row is not None else None

    def _compare(self, expr: Compare, row: dict[str, Any]) -> Any:
        left = self.value(expr.left, row)
        if expr.operator in ("is", "is not"):
            return (left is None) == (expr.operator == "is")
        if isinstance(expr.right, Items):
            found = None if left is None else left in expr.right.values
            return found if expr.operator == "in" else self._negated(found)
        return self._compared(expr.operator, left, self.value(expr.right, row))

    def _compared(self, sign: str, left: Any, right: Any) -> Any:
        return None if left is None or right is None else COMPARE[sign](left, right)

    def _all(self, values: list[Any]) -> Any:
        return False if False in values else None if None in values else True

    def _negated(self, value: Any) -> Any:
        return None if value is None else not value

    def _call(self, expr: Call, row: dict[str, Any]) -> Any:
        if expr.name == "role":
            return expr.arguments[0].value in self.actor.roles  # type: ignore[union-attr]
        if expr.name in ("any", "all"):
            holds = [self.value(expr.arguments[1], it) is True for it in self.parts if it["box"] == row["id"]]
            return any(holds) if expr.name == "any" else all(holds)
        values = [self.value(item, row) for item in expr.arguments]
        if expr.name == "coalesce":
            return next((value for value in values if value is not None), None)
        return None if values[0] is None else {"abs": abs, "lower": str.lower}[expr.name](values[0])


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    core = declare(SITE)
    users = [core.user(), core.user()]
    ids: list[str] = []
    for index, user in enumerate(users * 4):
        parent = ids[-2] if index % 3 and len(ids) > 1 else None
        body = {
            "a": [None, 0, 1, -2][index % 4], "b": [1, None, 2][index % 3], "s": ["x", None, "X", "y"][index % 4],
            "t": [None, "x"][index % 2], "flag": [True, False, None][index % 3], "parent": parent,
        }  # fmt: skip
        ids.append(user.make("/api/boxs", **body)["id"])
    for index, box in enumerate(ids[:5]):
        for n in ([0, 1], [None], [-1, None], [1], [0])[index]:
            users[0].make("/api/parts", size=n, box=box)
    core.actors = (ANONYMOUS, users[0].actor, Actor(users[1].actor.id, 2, "f" * 24, frozenset({"admin"})))  # type: ignore[attr-defined,union-attr]
    with core.reading() as ctx:
        core.data = (  # type: ignore[attr-defined]
            {row["id"]: row for row in ctx.records("box").find_all()},
            ctx.records("part").find_all(),
        )
    return core


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(expr=conditions, who=st.integers(0, 2))
def test_rule_means_the_same_in_sql(core: Core, expr: Expr, who: int) -> None:
    actor = core.actors[who]  # type: ignore[attr-defined]
    rows, parts = core.data  # type: ignore[attr-defined]
    oracle = Oracle(rows, parts, actor)
    expected = {key for key, row in rows.items() if oracle.value(expr, row) is True}
    with core.reading(actor) as ctx:
        model = ctx.runtime.registry.model("site.box")
        scope = ctx.runtime.policy.scope(model, ctx.facts)
        statement = sa.select(model.table.c.id).where(as_sql(to_sql(expr, scope)))
        assert set(ctx.execute(statement).scalars()) == expected
