"""Keeping the words of rows that are written, in the transaction of the write: what full-text search looks into.

`writing` and `batches` call it. A row that goes takes its words along by its foreign key; one that is marked as deleted keeps
them, and is found again when it is restored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.access import facts_of
from host.actor import SYSTEM
from host.compiler.models import Model
from host.compiler.search import Index
from host.compiler.statements import Statement
from host.fields.words import stored_words
from host.service.context import Context

Values = Mapping[str, Any]


def keep_words(ctx: Context, model: Model, keys: Sequence[Any], values: Values) -> None:
    """Keep the words of one row, whose key and searched values these are."""
    index = _index(model)
    _statement(ctx, model).run(
        ctx.transaction.driver, _row(index, ctx.runtime.database.dialect, keys, values)
    )


def keep_again(ctx: Context, model: Model, keys: Sequence[Any]) -> None:
    """Keep the words of a row that was changed past `writing`, as it is now stored."""
    found = ctx.runtime.plans.row(model, facts_of(SYSTEM)).fetch(ctx.transaction.driver, keys, ctx.values)
    if found is not None:
        keep_words(ctx, model, keys, found.row())


def keep_many(ctx: Context, model: Model, rows: Sequence[Values]) -> None:
    """Keep the words of new rows, all with one statement; each brings its key."""
    index, dialect = _index(model), ctx.runtime.database.dialect
    statement = _statement(ctx, model)
    bound = [statement.bind(_row(index, dialect, [row[key.name] for key in model.keys], row)) for row in rows]
    ctx.transaction.driver.cursor().executemany(statement.sql, bound)


def _index(model: Model) -> Index:
    assert model.search is not None  # the callers look
    return model.search


def _row(index: Index, dialect: str, keys: Sequence[Any], values: Values) -> dict[str, Any]:
    texts = [(letter, values.get(name)) for name, letter in index.letters.items()]
    row: dict[str, Any] = {f"key_{number}": key for number, key in enumerate(keys)}
    row["words"] = stored_words(texts, dialect)
    return row


def _statement(ctx: Context, model: Model) -> Statement:
    return ctx.runtime.plans.statement(
        (model, "words"), lambda: storing(_index(model), ctx.runtime.database.dialect)
    )


def storing(index: Index, dialect: str) -> Any:
    """The statement that stores the words of a row, instead of those that it had."""
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    keys = {
        column.name: sa.bindparam(f"key_{number}", type_=column.type)
        for number, column in enumerate(index.keys)
    }
    given = insert(index.table).values({**keys, "words": sa.bindparam("words", type_=index.words.type)})
    return given.on_conflict_do_update(index_elements=list(keys), set_={"words": given.excluded.words})
