"""Every kind of change: planned, scripted, applied, then nothing is left to do, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from host.compiler.tables import lesser
from host.fields.columns import Day, Exact, Instant, Json, Span, TimeOfDay, Uid
from host.migrations.check import check
from host.migrations.runner import downgrade
from tests.unit.migrations.shop import KEY, Declare, Shop, all_of, column, enum, indexed, item, summaries

NAME = column("name", sa.String(40))
CUSTOMER = item(column("title", sa.String(20)), name="shop_customer")


def reference(on_delete: str, **options: object) -> sa.Column[str]:
    return column("customer_id", Uid(), sa.ForeignKey("shop_customer.id", ondelete=on_delete), **options)


def lower(table: sa.Table) -> sa.Index:
    return sa.Index("uq_shop_item_name_lower", sa.func.lower(table.c.name), unique=True, _table=table)


def pair(table: sa.Table) -> sa.Index:
    one, other = table.c.name, table.c.other
    return sa.Index("uq_pair", lesser(one, other), lesser(other, one), unique=True, _table=table)


def partial(value: str) -> object:
    def make(table: sa.Table) -> sa.Index:
        where = table.c.name != sa.literal_column(f"'{value}'")
        return sa.Index("ix_partial", table.c.name.desc(), sqlite_where=where, postgresql_where=where)

    return make


PLAIN = item(NAME)
OTHER = column("other", sa.String(40))
PAIR = item(NAME, OTHER)
CHANGES: Mapping[str, tuple[Declare, Declare]] = {
    "table added": (PLAIN, all_of(PLAIN, CUSTOMER)),
    "table dropped": (all_of(PLAIN, CUSTOMER), PLAIN),
    "table renamed": (PLAIN, item(NAME, name="shop_article", was="shop_item")),
    "column added": (PLAIN, item(NAME, column("at", Instant()), column("day", Day()), column("size", Exact(9, 3)))),
    "column of json": (PLAIN, item(NAME, column("data", Json()), column("span", Span()), column("at", TimeOfDay()))),
    "column required": (PLAIN, item(column("name", sa.String(40), nullable=False, backfill="none"))),
    "column optional": (item(column("name", sa.String(40), nullable=False)), PLAIN),
    "column with default": (PLAIN, item(NAME, column("cost", Exact(9, 2), nullable=False, backfill="1.50"))),
    "flag with default": (PLAIN, item(NAME, column("open", sa.Boolean(), nullable=False, backfill=True))),
    "json with default": (PLAIN, item(NAME, column("tags", Json(), nullable=False, backfill=["a", {"b": 1}]))),
    "day with default": (PLAIN, item(NAME, column("day", Day(), nullable=False, backfill="2026-01-31"))),
    "column dropped": (item(NAME, column("note", sa.Text())), PLAIN),
    "column renamed": (PLAIN, item(column("title", sa.String(40), was="name"))),
    "text longer": (PLAIN, item(column("name", sa.String(80)))),
    "text shorter": (PLAIN, item(column("name", sa.String(8)))),
    "text unbounded": (PLAIN, item(column("name", sa.Text()))),
    "number wider": (item(column("cost", Exact(9, 2))), item(column("cost", Exact(12, 3)))),
    "text to number": (PLAIN, item(column("name", sa.BigInteger()))),
    "uuid to text": (item(column("name", Uid())), item(column("name", sa.String(36)))),
    "day to instant": (item(column("at", Day())), item(column("at", Instant()))),
    "unique added": (PLAIN, item(NAME, sa.UniqueConstraint("name"))),
    "unique dropped": (item(NAME, sa.UniqueConstraint("name")), PLAIN),
    "index added": (PLAIN, indexed(PLAIN, partial("x"))),
    "index changed": (indexed(PLAIN, partial("x")), indexed(PLAIN, partial("y"))),
    "lower added": (PLAIN, indexed(PLAIN, lower)),
    "pair added": (PAIR, indexed(PAIR, pair)),
    "pair kept": (indexed(PAIR, pair), indexed(item(NAME, OTHER, column("more", sa.Text())), pair)),
    "lower dropped": (indexed(PLAIN, lower), PLAIN),
    "lower kept": (indexed(PLAIN, lower), indexed(item(NAME, sa.CheckConstraint("name <> ''", name="some")), lower)),
    "enum longer": (item(NAME, enum("name", "a", "b")), item(NAME, enum("name", "a", "b", "c"))),
    "enum shorter": (item(NAME, enum("name", "a", "b")), item(NAME, enum("name", "a"))),
    "check changed": (
        item(column("cost", Exact(9, 2)), sa.CheckConstraint("cost >= 0", name="some")),
        item(column("cost", Exact(9, 2)), sa.CheckConstraint("cost > 0 AND (cost < 5 OR cost > 9)", name="some")),
    ),
    "reference added": (all_of(PLAIN, CUSTOMER), all_of(CUSTOMER, item(NAME, reference("SET NULL")))),
    "reference changed": (
        all_of(CUSTOMER, item(NAME, reference("SET NULL"))),
        all_of(CUSTOMER, item(NAME, reference("CASCADE"))),
    ),
    "reference dropped": (all_of(CUSTOMER, item(NAME, reference("RESTRICT"))), all_of(CUSTOMER, PLAIN)),
    "target renamed": (
        all_of(CUSTOMER, item(NAME, reference("CASCADE"))),
        all_of(
            item(column("title", sa.String(20)), name="shop_client", was="shop_customer"),
            item(NAME, column("client_id", Uid(), sa.ForeignKey("shop_client.id", ondelete="CASCADE"), was="customer_id")),
        ),
    ),
    "renamed with enum": (
        item(NAME, enum("name", "a", "b")),
        item(column("kind", sa.String(40), was="name"), enum("kind", "a", "b")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_change_goes_there_and_back(shop: Shop, change: str) -> None:
    before, after = CHANGES[change]
    shop.apply(shop=before)

    assert shop.apply(shop=after)

    assert summaries(shop.plan(shop=after)) == []
    assert check(shop.database, shop.owners(shop=after)) == ()
    downgrade(shop.database, shop.owners(shop=after), "shop", "-1", allow_destructive=True)
    assert summaries(shop.plan(shop=before)) == []


def test_rename_keeps_the_values(shop: Shop) -> None:
    shop.apply(shop=item(NAME, sa.UniqueConstraint("name")))
    shop.execute("INSERT INTO shop_item (id, name) VALUES ('0190a5b0-0000-7000-8000-000000000001', 'kept')")

    renamed = item(
        column("title", sa.String(40), was="name"),
        sa.UniqueConstraint("title"),
        name="shop_article",
        was="shop_item",
    )
    found = shop.plan(shop=renamed)
    shop.apply(shop=renamed, allow_destructive=False)

    assert not any(step.destructive for step in found.steps)
    assert shop.execute("SELECT title FROM shop_article") == [("kept",)]
    assert summaries(shop.plan(shop=renamed)) == []


def test_required_column_fills_old_rows(shop: Shop) -> None:
    shop.apply(shop=PLAIN)
    shop.execute("INSERT INTO shop_item (id, name) VALUES ('0190a5b0-0000-7000-8000-000000000001', NULL)")

    priced = item(NAME, column("cost", Exact(9, 2), nullable=False, backfill="1.50"))
    shop.apply(shop=priced, allow_destructive=False)

    assert [Decimal(str(row[0])) for row in shop.execute("SELECT cost FROM shop_item")] == [Decimal("1.50")]


def test_tables_may_refer_to_each_other(shop: Shop) -> None:
    circle = all_of(
        item(
            column("best_id", Uid(), sa.ForeignKey("shop_item.id", ondelete="SET NULL")), name="shop_customer"
        ),
        item(reference("CASCADE"), column("parent_id", Uid(), sa.ForeignKey("shop_item.id"))),
    )

    shop.apply(shop=circle)

    assert summaries(shop.plan(shop=circle)) == []


def test_days_become_instants(shop: Shop) -> None:
    days, instants = item(column("at", Day())), item(column("at", Instant()))
    shop.apply(shop=days)
    shop.execute("INSERT INTO shop_item (id, at) VALUES (:id, '2026-01-31')", id=KEY.format(1))

    shop.apply(shop=instants, allow_destructive=False)

    expected = {"sqlite": "2026-01-31T00:00:00.000000Z", "postgresql": datetime(2026, 1, 31, tzinfo=UTC)}
    assert shop.execute("SELECT at FROM shop_item") == [(expected[shop.database.dialect],)]
