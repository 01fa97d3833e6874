"""Compiled statements of an app, made when first needed and kept: lists by query string, single rows, writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import sqlalchemy as sa

from host.access import Operation, Policy, as_sql
from host.compiler.expressions import Facts, any_of
from host.compiler.models import Model
from host.compiler.parents import Parent
from host.compiler.readers import Reader, compile_reader, native_outputs
from host.compiler.registry import Registry
from host.compiler.statements import Statement, compile_statement
from host.compiler.wires import CompiledWire, outputs
from host.database import Database
from host.fields.forms import NATIVE
from host.query.conditions import asked_shape, asked_values
from host.query.embedding import Embedded, plan_embeds
from host.query.parameters import QueryParser
from host.query.plans import ListPlan, Planner, WholePlan

Kept = TypeVar("Kept")
Parents = tuple[Parent, ...]  # what the path of a nested resource fixes
MOST_KEPT = 2048  # plans; a caller who varies the query string must not fill the memory


@dataclass(frozen=True)
class RowPlan:
    """How one row is read by key. Behind the reader's columns come the version and the verdicts, in the order asked."""

    statement: Statement
    reader: Reader
    has_version: bool
    embeds: tuple[Embedded, ...] = ()

    def fetch(self, connection: Any, keys: Sequence[Any], values: dict[str, Any]) -> Found | None:
        """The row with its version and verdicts, or None."""
        parameters = {**values, **{f"key_{index}": key for index, key in enumerate(keys)}}
        row = self.statement.run(connection, parameters).fetchone()
        if row is None:
            return None
        behind = row[self.reader.width :]
        version = behind[0] if self.has_version else None
        verdicts = tuple(map(bool, behind[1:] if self.has_version else behind))
        built = self._filled(connection, row, parameters) if self.embeds else None
        return Found(row, self.reader, version, verdicts, built)

    def _filled(self, connection: Any, row: Sequence[Any], values: dict[str, Any]) -> dict[str, Any]:
        """The built row where rows of others belong into it, which the connection has to be there for."""
        built = self.reader.one(row)
        for embedded in self.embeds:
            embedded.fill(connection, [built], values)
        return built


@dataclass(frozen=True)
class Found:
    """A fetched row, not yet built."""

    raw: Sequence[Any]
    reader: Reader
    version: int | None
    verdicts: tuple[bool, ...]
    built: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        """The row as its reader shapes it."""
        return self.built if self.built is not None else self.reader.one(self.raw)


@dataclass(frozen=True, eq=False)
class Plans:
    """The compiled statements of one app."""

    registry: Registry
    policy: Policy
    database: Database
    planner: Planner
    _kept: dict[Any, Any] = field(default_factory=dict)
    _seen: dict[Any, ListPlan] = field(default_factory=dict)  # lists by query string

    def listing(
        self, wire: CompiledWire, raw: str, facts: Facts, nulls: tuple[bool, ...] | None, under: Parents = ()
    ) -> ListPlan:  # fmt: skip
        """The plan of a list by its query string (without the cursor).

        Strings that differ in values alone share their compiled statements; a string that was seen before is not
        even parsed again.
        """
        key = (wire, raw, facts, nulls, under)
        known = self._seen.get(key)
        if known is None:
            known = self._list_plan(wire, raw, facts, nulls, under)
            if len(self._seen) >= MOST_KEPT:
                self._seen.clear()
            self._seen[key] = known
        return known

    def whole(self, wire: CompiledWire, raw: str, facts: Facts, under: Parents = ()) -> WholePlan:
        """The plan of an export by its query string."""
        parser = QueryParser(wire, self.registry.kinds, self.policy.scope(wire.model, facts))
        return self.planner.whole(wire, parser.parse(raw), facts, under)

    def row(self, shape: CompiledWire | Model, facts: Facts, under: Parents = ()) -> RowPlan:
        """Reading one row as a wire shows it (or natively, for a model), hidden where the rule hides it."""
        return self._keep(
            (shape, "row", facts, under), lambda: self._row_plan(shape, facts, "get", (), under, lock=False)
        )

    def expanded(self, wire: CompiledWire, facts: Facts, raw: str, under: Parents = ()) -> ListPlan:
        """Reading one row with the `fields` and `expand` of a query string."""
        return self._keep(
            (wire, "single", raw, facts, under), lambda: self._single_plan(wire, raw, facts, under)
        )

    def checked(
        self, shape: CompiledWire | Model, facts: Facts, checks: tuple[Any, ...], under: Parents = (), *, lock: bool = False
    ) -> RowPlan:  # fmt: skip
        """Reading one row with verdicts: each check is an operation, or the name of a field whose `write` rule counts."""
        return self._keep(
            (shape, "checked", checks, facts, under, lock),
            lambda: self._row_plan(shape, facts, None, checks, under, lock=lock),
        )

    def defaults(self, model: Model) -> dict[str, Any]:
        """The native values of a new row's declared defaults."""
        return self._keep((model, "defaults"), lambda: self._defaults(model))

    def _defaults(self, model: Model) -> dict[str, Any]:
        schemas = self.registry.schemas
        return {
            attribute.name: schemas.default(f"{model.name}.{attribute.name}", attribute.field)
            for attribute in model.stored()
            if attribute.field.default is not None and attribute.relation is None
        }

    def statement(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Statement:
        """Any other statement, kept under a key of the caller's."""
        return self._keep(("statement", *key), lambda: compile_statement(make(), self.database.compiling))

    def kept(self, key: Any, owner: Any, make: Callable[[], Kept]) -> Kept:
        """Anything else that is compiled once; `owner` is held, so that an id in the key stays its own."""
        return self._keep(key, lambda: (owner, make()))[1]

    def _keep(self, key: Any, make: Callable[[], Kept]) -> Kept:
        found: Kept | None = self._kept.get(key)
        if found is None:
            found = make()
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _list_plan(
        self, wire: CompiledWire, raw: str, facts: Facts, nulls: tuple[bool, ...] | None, under: Parents
    ) -> ListPlan:  # fmt: skip
        scope = self.policy.scope(wire.model, facts)
        query = QueryParser(wire, self.registry.kinds, scope).parse(raw)
        plan = self._keep(
            (wire, "list", asked_shape(query), facts, nulls, under),
            lambda: self.planner.plan(wire, query, facts, nulls, under),
        )
        return replace(plan, asked=asked_values(query, self.database.dialect))

    def _single_plan(self, wire: CompiledWire, raw: str, facts: Facts, under: Parents) -> ListPlan:
        parser = QueryParser(wire, self.registry.kinds, self.policy.scope(wire.model, facts))
        return self.planner.single(wire, parser.parse(raw, allowed=("fields", "expand")), facts, under)

    def reader(self, shape: CompiledWire | Model, facts: Facts, under: Parents = ()) -> Reader:
        """The reader of a wire's rows, or of a model's native ones."""
        kinds, dialect = self.registry.kinds, self.database.dialect
        if isinstance(shape, Model):
            return compile_reader(
                native_outputs(shape, self.policy.scope(shape, facts)), kinds, dialect, NATIVE
            )
        found = outputs(shape, self.policy.scope(shape.model, facts, known=under))
        return compile_reader(found, kinds, dialect, shape.form, self.registry.sign)

    def _row_plan(
        self, shape: CompiledWire | Model, facts: Facts, operation: Operation | None, checks: tuple[Any, ...],
        under: Parents, *, lock: bool,
    ) -> RowPlan:  # fmt: skip
        model = shape if isinstance(shape, Model) else shape.model
        reader = self.reader(shape, facts, under)
        version = model.version
        columns = [*reader.columns, *([version.column] if version else [])]
        columns += [
            sa.case((as_sql(self._check(model, check, facts, under)), 1), else_=0) for check in checks
        ]
        conditions = [
            key.column == sa.bindparam(f"key_{i}", type_=key.column.type)
            for i, key in enumerate(model.keys)
            if key.column is not None
        ]
        if operation is not None:
            conditions += self.policy.visible(model, operation, facts, parents=under)
        else:
            conditions += self.policy.existing(model, facts, parents=under)
        statement = sa.select(*columns).select_from(reader.joined(model.table)).where(*conditions)
        if lock:
            statement = statement.with_for_update(of=model.table)  # SQLite has its one write lock already
        embeds: tuple[Embedded, ...] = ()
        if not isinstance(shape, Model):
            embeds = plan_embeds(self.registry, self.policy, self.database, shape, facts)
        compiled = compile_statement(statement, self.database.compiling)
        return RowPlan(compiled, reader, version is not None, embeds)

    def _check(self, model: Model, check: Any, facts: Facts, under: Parents) -> Any:
        if isinstance(check, tuple):
            return self.policy.condition(model, check, facts, parents=under)
        if check in ("list", "get", "create", "update", "delete"):
            return self.policy.predicate(model, check, facts, parents=under)
        rule = write_rule(model, check)
        scope = self.policy.scope(model, facts, parents=under)
        return any_of(rule, scope) if rule and not facts.is_system else True


def write_rule(model: Model, name: str) -> tuple[str, ...]:
    """The `write` rule of a field, a transient field or a relation."""
    attribute = model.attributes.get(name)
    if attribute is not None:
        return attribute.field.write
    declared = model.declared.fields.get(name) or model.declared.relations.get(name)
    return declared.write if declared is not None else ()
