"""The `examples` of named rules, decided by the rule's own SQL over a made-up row: the tests that travel with a rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from host.access.policy import Policy, as_sql
from host.compiler.expressions import Facts
from host.compiler.models import Model
from host.compiler.registry import Registry
from host.compiler.statements import compile_statement
from host.declaration.expressions import names_in, parse
from host.declaration.nodes import Access, AnyOf, Rule, RuleExample
from host.declaration.problems import Problem
from host.fields.kinds import Kinds

_FAR = "2026-01-01T00:00:00.000000Z"  # `now` in examples: they must not change their verdict with the day


def run_examples(registry: Registry) -> list[Problem]:
    """Decide every example; answers a problem for each that the rule decides otherwise."""
    rules = {name: rule for name, rule in registry.declaration.rules.items() if rule.examples}
    if not rules:
        return []
    policy = Policy(registry.models, registry.declaration.rules)
    with _tables(registry) as connection:
        return [
            problem
            for name, rule in rules.items()
            for problem in _problems(name, rule, registry, policy, connection)
        ]


@contextmanager
def _tables(registry: Registry) -> Iterator[sa.Connection]:
    """Empty tables in memory, for rules that look at related rows."""
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(":memory:"), poolclass=sa.pool.StaticPool
    )
    try:
        registry.metadata.create_all(engine)
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _problems(
    name: str, rule: Rule, registry: Registry, policy: Policy, connection: sa.Connection
) -> Iterator[Problem]:  # fmt: skip
    model = _model(name, rule, registry)
    for index, example in enumerate(rule.examples):
        place, path = example.place, f"rules.{name.partition('.')[2]}.examples[{index}]"
        if model is None:
            yield Problem(
                place, path, "rule_example", "no resource uses this rule; say which one with `resource`"
            )
            continue
        unknown = [key for key in example.row if key not in model.attributes]
        if unknown:
            yield Problem(place, path, "rule_example", f"{model.noun} has no field {unknown[0]!r}")
        elif _decide(name, model, example, policy, registry.kinds, connection) != (example.expect == "allow"):
            other = "denies" if example.expect == "allow" else "allows"
            yield Problem(
                place,
                path,
                "rule_example",
                f"the rule {other} this, but the example expects {example.expect}",
            )


def _model(name: str, rule: Rule, registry: Registry) -> Model | None:
    if rule.resource is not None:
        return registry.models.get(rule.resource)
    plugin, _, bare = name.partition(".")
    using = (model for model in registry.models.values() if model.plugin == plugin and _uses(model, bare))
    return next(using, None)


def _uses(model: Model, rule: str) -> bool:
    access = model.declared.access
    rules = [
        *(_access_rules(access) if access else ()),
        *(action.access for action in model.declared.actions.values()),
    ]
    return any(rule in names_in(parse(condition)) for conditions in rules for condition in conditions)


def _access_rules(access: Access) -> Iterator[AnyOf]:
    yield from (
        access.every,
        access.read,
        access.write,
        access.list,
        access.get,
        access.create,
        access.update,
        access.delete,
    )


def _decide(
    name: str, model: Model, example: RuleExample, policy: Policy, kinds: Kinds, connection: sa.Connection
) -> bool:  # fmt: skip
    actor = example.actor or {}
    facts = Facts(example.actor is not None, frozenset(actor.get("roles", ())))
    row = sa.select(
        *(
            sa.literal(_native(attribute, example.row, kinds), attribute.column.type).label(
                attribute.column.name
            )
            for attribute in model.stored()
            if attribute.column is not None
        )
    ).subquery("example")
    condition = as_sql(policy.condition(model, (name,), facts, row))
    statement = compile_statement(
        sa.select(sa.case((condition, 1), else_=0)).select_from(row), sqlite.dialect(paramstyle="named")
    )
    parameters = {**dict(statement.fixed), **{key: _actor_value(key, actor) for key, _ in statement.wanted}}
    driver: Any = connection.connection.dbapi_connection
    return bool(driver.execute(statement.sql, parameters).fetchone()[0])


def _native(attribute: Any, row: Mapping[str, Any], kinds: Kinds) -> Any:
    value = row.get(attribute.name)
    if value is None or attribute.relation is not None or not isinstance(value, str):
        return value
    kind = kinds[attribute.field.type]
    return (
        value
        if kind.is_text or attribute.is_key or attribute.field.type in ("enum", "uuid")
        else kind.parse(value, attribute.field)
    )


def _actor_value(key: str, actor: Mapping[str, Any]) -> Any:
    if key == "now":
        return _FAR
    return actor.get(key.removeprefix("me_"), actor.get("id") if key in ("me_number", "me_hex") else None)
