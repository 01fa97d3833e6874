"""Create, update and delete: one row at a time, inside the context's unit of work, under the rules.

The rule is checked on the flushed row, in the same query that reads the answer; whatever fails raises and so rolls back.
Values are native ones under inner names. Keys that only the server sets are filled in here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Attribute, Model
from host.compiler.parents import Parent
from host.compiler.wires import CompiledWire
from host.database import violation_of
from host.errors import FieldError, Forbidden, NotFound, PreconditionFailed
from host.service.cascade import clear_referrers
from host.service.context import Context
from host.service.counters import next_number
from host.service.files import attach, release
from host.service.firsts import store_firsts
from host.service.identities import change_row, present, remove_row, with_row
from host.service.keys import new_key
from host.service.links import write_links
from host.service.log_appending import opened_new, opened_removal, opened_row
from host.service.log_folding import forget_owner
from host.service.parents import check_below, given
from host.service.plans import Found, write_rule
from host.service.randoms import with_drawn
from host.service.references import check_references
from host.service.search import keep_words
from host.service.violations import refusal

Values = dict[str, Any]
Shape = CompiledWire | Model
Given = (
    Mapping[str, Any] | Callable[[Values], Mapping[str, Any]]
)  # values, or how they follow from the stored row
Match = Callable[[Found], bool]  # decides an If-Match on the locked row


@dataclass
class Change:
    """A write before it is stored, for the resource's `prepare` function, which may complete `values` or refuse.

    `values` holds what will be written, `before` the stored row on update, `transient` what is never stored.
    """

    operation: Literal["create", "update"]
    model: Model
    values: Values
    before: Values | None = None
    transient: Values = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value that the row will have."""
        if name in self.values:
            return self.values[name]
        return self.before.get(name) if self.before is not None else None


@dataclass(frozen=True)
class Written:
    """A stored row as the shape shows it."""

    keys: tuple[Any, ...]
    row: Values
    version: int | None


# --- create -----------------------------------------------------------------------------------------------------------


def create(ctx: Context, shape: Shape, values: Mapping[str, Any]) -> Written:
    """Store a new row. Raises Invalid, Duplicate or Forbidden, and then nothing has been stored."""
    under = _under(ctx, shape)
    keys = store(ctx, _model(shape), {**values, **given(ctx)} if under else values)
    if under:
        check_below(ctx, _model(shape), keys)
    return read_back(ctx, shape, keys, "create", frozenset(values))


def store(ctx: Context, model: Model, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Insert a new row and answer its key; whether the rules allow it is for `read_back` to say."""
    if model.name == ACCOUNT:
        values = with_row(ctx, model, values, store)
    _check_open(model)
    if model.declared.logged is not None:
        ctx, values = opened_new(ctx, model, values)
    change = prepared(ctx, Change("create", model, dict(values)))
    given, beside = change.values, change.transient
    drawn = [name for name in model.drawn if name not in given]
    if drawn:
        return with_drawn(ctx, model, drawn, lambda found: _store(ctx, model, {**given, **found}, beside))
    return _store(ctx, model, given, beside)


def _check_open(model: Model) -> None:
    if model.declared.log is not None:
        raise Forbidden(f"{model.spoken_plural} are added by what they tell of, and never changed")


def _store(ctx: Context, model: Model, values: Values, beside: Values) -> tuple[Any, ...]:
    stored, links = _split(model, completed(ctx, model, values))
    if model.files:
        stored = attach(ctx, model, stored, None)
    check_references(ctx, model, stored)
    keys = _insert(ctx, model, stored)
    if model.search is not None:
        keep_words(ctx, model, keys, stored)
    write_links(ctx, model, keys, links, stored, create)
    ctx.runtime.journal.created(ctx, model, keys, stored, links, beside)
    if model.firsts:
        store_firsts(ctx, model, keys, stored, store)
    return keys


def completed(ctx: Context, model: Model, values: Values) -> Values:
    """The values with defaults and everything that the server sets."""
    complete = {**ctx.runtime.plans.defaults(model), **values}
    mixins = model.declared.mixins
    for key in model.keys:
        if key.name not in complete and isinstance(model.declared.key, str) and model.declared.key != "int":
            complete[key.name] = new_key(model.declared.key)
    if mixins.owned is not None and model.owner is not None:
        complete.setdefault(mixins.owned.name, ctx.actor.key(mixins.owned.by))
    if mixins.stamped is not None:
        complete.setdefault(mixins.stamped.created, _stamp(ctx, model))
        if mixins.stamped.updated is not None:
            complete.setdefault(mixins.stamped.updated, _stamp(ctx, model))
    if mixins.versioned is not None:
        complete.setdefault(mixins.versioned.name, 1)
    for attribute in model.attributes.values():
        if attribute.field.counter is not None and complete.get(attribute.name) is None:
            complete[attribute.name] = next_number(ctx, model, attribute, complete)
    return complete


def _stamp(ctx: Context, model: Model) -> datetime:
    """The time that the row tells: now, or where it is made of events that of the event."""
    return ctx.now if model.declared.logged is None else ctx.stamp


def _insert(ctx: Context, model: Model, stored: Values) -> tuple[Any, ...]:
    names = tuple(stored)
    statement = ctx.runtime.plans.statement((model, "insert", names), lambda: _insert_statement(model, names))
    with_keys = _run(ctx, model, statement, {f"v_{name}": value for name, value in stored.items()})
    returned = with_keys.fetchone()
    return tuple(stored.get(key.name, returned[index]) for index, key in enumerate(model.keys))


def _insert_statement(model: Model, names: Sequence[str]) -> Any:
    values = {
        _column(model, name).name: sa.bindparam(f"v_{name}", type_=_column(model, name).type)
        for name in names
    }
    return (
        model.table.insert()
        .values(values)
        .returning(*(key.column for key in model.keys if key.column is not None))
    )


# --- update -----------------------------------------------------------------------------------------------------------


def update(
    ctx: Context, shape: Shape, keys: tuple[Any, ...], values: Given, *, match: Match | None = None
) -> Written:  # fmt: skip
    """Change a row. NotFound when hidden, Forbidden when visible but not allowed, PreconditionFailed when stale."""
    return read_back(ctx, shape, keys, "update", change(ctx, shape, keys, values, match=match))


def change(
    ctx: Context, shape: Shape, keys: tuple[Any, ...], values: Given, *, match: Match | None = None
) -> frozenset[str]:  # fmt: skip
    """Store a change and answer what was given; whether the rules allow it is for `read_back` to say."""
    model = _model(shape)
    _check_open(model)
    if model.declared.logged is not None:
        ctx = opened_row(ctx, model, keys)
    before, version = locked(ctx, shape, keys, "update", match)
    if model.name == ACCOUNT:
        before = present(ctx, model, before)
    wanted = values(before) if callable(values) else values
    made = prepared(ctx, Change("update", model, dict(wanted), before))
    stored, links = _split(model, made.values)
    if model.files:
        stored = attach(ctx, model, stored, before)
    stored = {name: value for name, value in stored.items() if before.get(name) != value}
    check_references(ctx, model, stored, before)
    if stored or links:
        _update_row(ctx, model, keys, _stamped(ctx, model, stored), version)
        if model.search is not None and not model.search.letters.keys().isdisjoint(stored):
            keep_words(ctx, model, keys, {**before, **stored})
        linked = write_links(ctx, model, keys, links, {**before, **stored}, create)
        ctx.runtime.journal.updated(ctx, model, keys, before, stored, linked, made.transient)
    if _under(ctx, shape):
        check_below(ctx, model, keys)
    if model.name == ACCOUNT:
        change_row(ctx, model, before, stored, store)
    return frozenset(wanted)


def locked(
    ctx: Context, shape: Shape, keys: tuple[Any, ...], operation: Any, match: Match | None = None
) -> tuple[Values, int | None]:  # fmt: skip
    """The native row and its version, held against other writers, if the actor may do this to it."""
    model = _model(shape)
    plan = ctx.runtime.plans.checked(model, ctx.facts, ("get", operation), _under(ctx, shape), lock=True)
    found = plan.fetch(ctx.transaction.driver, keys, ctx.values)
    if found is None or not found.verdicts[0]:
        raise NotFound(f"there is no such {model.spoken}")
    if not found.verdicts[1]:
        raise Forbidden(
            f"you may not {operation if isinstance(operation, str) else 'do this to'} this {model.spoken}"
        )
    if match is not None and not match(found):
        raise PreconditionFailed("the row has changed since you read it")
    return found.row(), found.version


def _stamped(ctx: Context, model: Model, stored: Values) -> Values:
    stamped = model.declared.mixins.stamped
    return (
        stored
        if stamped is None or stamped.updated is None
        else {**stored, stamped.updated: _stamp(ctx, model)}
    )


def _update_row(
    ctx: Context, model: Model, keys: tuple[Any, ...], stored: Values, version: int | None
) -> None:
    if not stored and version is None:
        return
    names = tuple(stored)
    statement = ctx.runtime.plans.statement((model, "update", names), lambda: _update_statement(model, names))
    parameters = {f"v_{name}": value for name, value in stored.items()}
    parameters |= {f"key_{index}": key for index, key in enumerate(keys)}
    parameters["old_version"] = version
    if _run(ctx, model, statement, parameters).rowcount == 0:
        raise PreconditionFailed("the row has changed since you read it")


def _update_statement(model: Model, names: Sequence[str]) -> Any:
    values: dict[str, Any] = {
        _column(model, name).name: sa.bindparam(f"v_{name}", type_=_column(model, name).type)
        for name in names
    }
    conditions = key_conditions(model)
    if model.version is not None and model.version.column is not None:
        version = model.version.column
        values[version.name] = version + 1
        conditions.append(version == sa.bindparam("old_version", type_=version.type))
    return model.table.update().where(*conditions).values(values)


# --- delete -----------------------------------------------------------------------------------------------------------


def delete(
    ctx: Context, shape: Shape, keys: tuple[Any, ...], *, match: Match | None = None, beside: Values | None = None
) -> Values:  # fmt: skip
    """Remove a row, or mark it; answers the native row as it was. Referenced when a relation restricts it.

    `beside` are transient values, for the event of a row that is made of a log.
    """
    model = _model(shape)
    _check_open(model)
    if model.declared.logged is not None:
        ctx = opened_row(ctx, model, keys)
    before, _ = locked(ctx, shape, keys, "delete", match)
    remove(ctx, model, keys, before, beside)
    return before


def remove(
    ctx: Context, model: Model, keys: tuple[Any, ...], before: Values, beside: Values | None = None
) -> None:
    """Remove without asking a rule: for cascades, whose permission was given by the row they follow from."""
    if model.name == ACCOUNT:
        remove_row(ctx, model, before, remove)
        forget_owner(ctx, before)
    if model.declared.logged is not None:
        ctx = opened_removal(ctx, model, keys, before)
    statement = ctx.runtime.plans.statement((model, "remove"), lambda: _delete_statement(model))
    parameters = {"deleted": _stamp(ctx, model), **{f"key_{index}": key for index, key in enumerate(keys)}}
    # A marked row is marked before what refers to it, so that rows that refer in a circle come to an end.
    if model.deleted is not None:
        _run(ctx, model, statement, parameters, deleting=True)
        clear_referrers(ctx, model, before, remove)
    else:
        clear_referrers(ctx, model, before, remove)
        _run(ctx, model, statement, parameters, deleting=True)
        if model.files:
            release(ctx, model, before)
    ctx.runtime.journal.removed(ctx, model, keys, before, beside or {})


def _delete_statement(model: Model) -> Any:
    if model.deleted is None or model.deleted.column is None:
        return model.table.delete().where(*key_conditions(model))
    column = model.deleted.column
    return (
        model.table.update()
        .where(*key_conditions(model))
        .values({column.name: sa.bindparam("deleted", type_=column.type)})
    )


# --- shared -----------------------------------------------------------------------------------------------------------


def key_conditions(model: Model) -> list[Any]:
    """`WHERE` the key is `key_0`, `key_1`, …"""
    return [
        key.column == sa.bindparam(f"key_{index}", type_=key.column.type)
        for index, key in enumerate(model.keys)
        if key.column is not None
    ]


def _model(shape: Shape) -> Model:
    return shape if isinstance(shape, Model) else shape.model


def _under(ctx: Context, shape: Shape) -> tuple[Parent, ...]:
    """The parents that count: a plugin's own code works on models, wherever its operation is served."""
    return () if isinstance(shape, Model) else ctx.under


def _column(model: Model, name: str) -> sa.Column[Any]:
    attribute: Attribute = model.attributes[name]
    if attribute.column is None:
        raise KeyError(f"{model.name}.{name} is computed and cannot be stored")
    return attribute.column


def prepared(ctx: Context, change: Change) -> Change:
    """Take the transient values out and let the plugin complete the change."""
    declared = change.model.declared
    for name, node in declared.fields.items():
        if node.transient and name in change.values:
            change.transient[name] = change.values.pop(name)
    if declared.prepare is not None:
        call = ctx.runtime.calls[f"{change.model.plugin}:{declared.prepare}"]
        call(ctx.within(change.model.plugin), change)
    return change


def _split(model: Model, values: Values) -> tuple[Values, Values]:
    """Column values and linked keys."""
    links = {name: value for name, value in values.items() if name in model.links}
    return {name: value for name, value in values.items() if name not in links}, links


def _run(ctx: Context, model: Model, statement: Any, parameters: Values, *, deleting: bool = False) -> Any:
    ctx.transaction.flush()
    try:
        return statement.run(ctx.transaction.driver, parameters)
    except Exception as error:
        violation = violation_of(error)
        if violation is None:
            raise
        raise refusal(ctx, model, violation, deleting=deleting) from error


def read_back(
    ctx: Context, shape: Shape, keys: tuple[Any, ...], operation: Any, given: frozenset[str]
) -> Written:
    """The stored row as the shape shows it, if the rules allow what it has become."""
    model = _model(shape)
    ruled = tuple(sorted(name for name in given if write_rule(model, name)))
    plan = ctx.runtime.plans.checked(shape, ctx.facts, (operation, *ruled))
    try:
        found = plan.fetch(ctx.transaction.driver, keys, ctx.values)
    except Exception as error:  # a computed value may be out of range
        violation = violation_of(error)
        if violation is None:
            raise
        raise refusal(ctx, model, violation, deleting=False) from error
    if found is None:
        raise NotFound(f"there is no such {model.spoken}")
    denied = [name for name, verdict in zip(ruled, found.verdicts[1:], strict=True) if not verdict]
    if denied:
        raise Forbidden(
            "you may not set this",
            [FieldError(f"/{name}", "forbidden", "you may not set this") for name in denied],
        )
    if not found.verdicts[0]:
        raise Forbidden(f"you may not {operation} such a {model.spoken}")
    return Written(keys, found.row(), found.version)
