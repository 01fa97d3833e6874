"""What would lose rows is named with their number, and refused without the flag."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from host.fields.columns import Exact, Uid
from host.migrations.errors import Refused
from host.migrations.runner import downgrade, upgrade
from host.migrations.script import make
from tests.unit.migrations.shop import KEY, Declare, Shop, column, enum, item, keys

NAME = column("name", sa.String(40))
PLAIN = item(NAME)


def filled(shop: Shop, declare: Declare, *names: str | None) -> None:
    """Apply a declaration and store a row for each name."""
    shop.apply(shop=declare)
    for key, name in zip(keys(len(names)), names, strict=True):
        shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, :name)", id=key, name=name)


def refusal(shop: Shop, declare: Declare) -> Refused:
    """Try to apply a declaration without the flag."""
    with pytest.raises(Refused) as caught:
        shop.apply(shop=declare, allow_destructive=False)
    return caught.value


def test_dropped_column_counts_its_values(shop: Shop) -> None:
    filled(shop, item(NAME, column("note", sa.Text())), "a", "b")
    shop.execute("UPDATE shop_item SET note = 'kept' WHERE name = 'a'")

    [step] = shop.plan(shop=PLAIN).steps
    refused = refusal(shop, PLAIN)

    assert (step.destructive, step.rows_at_stake) == (True, 1)
    assert [(loss.what, loss.rows) for loss in refused.losses] == [("drop column shop_item.note", 1)]
    assert shop.execute("SELECT note FROM shop_item WHERE name = 'a'") == [("kept",)]


def test_flag_allows_what_is_lost(shop: Shop) -> None:
    filled(shop, item(NAME, column("note", sa.Text())), "a")
    refusal(shop, PLAIN)

    upgrade(shop.database, shop.owners(shop=PLAIN), allow_destructive=True)

    assert shop.plan(shop=PLAIN).steps == ()


def test_new_database_loses_nothing(shop: Shop) -> None:
    shop.apply(shop=item(NAME, column("note", sa.Text())))
    shop.apply(shop=PLAIN)
    downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "base", allow_destructive=True)

    assert len(upgrade(shop.database, shop.owners(shop=PLAIN))) == 2


def test_tables_of_others_may_hold_what_is_lost(shop: Shop) -> None:
    shop.apply(shop=item(NAME, column("note", sa.Text())))
    shop.apply(shop=PLAIN)
    downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "base", allow_destructive=True)
    shop.execute("CREATE TABLE somebody (id integer)")

    with pytest.raises(Refused):
        upgrade(shop.database, shop.owners(shop=PLAIN))


def test_dropped_table_counts_its_rows(shop: Shop) -> None:
    filled(shop, PLAIN, "a", "b", "c")

    refused = refusal(shop, lambda _metadata: None)

    assert "drop table shop_item (3 rows at stake)" in str(refused)
    assert "hostwright db upgrade --allow-destructive" in str(refused)


def test_nothing_runs_when_something_is_refused(shop: Shop) -> None:
    filled(shop, item(NAME, column("note", sa.Text())), "a")
    shop.apply(shop=item(NAME, column("note", sa.Text()), column("more", sa.Text())))
    make_only = shop.owners(shop=item(NAME, column("more", sa.Text()), column("most", sa.Text())))
    make(make_only[0], make_only)

    with pytest.raises(Refused):
        upgrade(shop.database, make_only)

    assert "most" not in {name for (name,) in shop.execute(COLUMNS[shop.database.dialect])}


COLUMNS = {
    "sqlite": "SELECT name FROM pragma_table_info('shop_item')",
    "postgresql": "SELECT column_name FROM information_schema.columns WHERE table_name = 'shop_item'",
}


def test_shorter_text_counts_longer_values(shop: Shop) -> None:
    filled(shop, PLAIN, "short", "a longer one", None)
    shorter = item(column("name", sa.String(8)))

    refused = refusal(shop, shorter)
    upgrade(shop.database, shop.owners(shop=shorter), allow_destructive=True)

    assert [loss.rows for loss in refused.losses] == [1]
    names = shop.execute("SELECT name FROM shop_item WHERE name IS NOT NULL ORDER BY name")
    assert names == [("a longer",), ("short",)]


def test_shorter_text_passes_when_all_fit(shop: Shop) -> None:
    filled(shop, PLAIN, "short")

    assert len(shop.apply(shop=item(column("name", sa.String(8))), allow_destructive=False)) == 1


def test_removed_enum_value_counts_its_rows(shop: Shop) -> None:
    wide = item(column("name", sa.String(7)), enum("name", "draft", "overdue"))
    narrow = item(column("name", sa.String(5), backfill="draft", nullable=False), enum("name", "draft"))
    filled(shop, wide, "draft", "overdue", "overdue")

    steps = [step for step in shop.plan(shop=narrow).steps if "remove 'overdue'" in step.summary]
    refusal(shop, narrow)
    upgrade(shop.database, shop.owners(shop=narrow), allow_destructive=True)

    assert [(step.destructive, step.rows_at_stake) for step in steps] == [(True, 2)]
    assert shop.execute("SELECT DISTINCT name FROM shop_item") == [("draft",)]


def test_unused_enum_value_goes_unasked(shop: Shop) -> None:
    filled(shop, item(NAME, enum("name", "a", "b")), "a")

    assert shop.apply(shop=item(NAME, enum("name", "a")), allow_destructive=False)


def test_required_column_needs_a_default(shop: Shop) -> None:
    filled(shop, PLAIN, "a")
    priced = item(NAME, column("cost", Exact(9, 2), nullable=False))

    problems = [step.problem for step in shop.plan(shop=priced).steps if step.problem]
    shop_owners = shop.owners(shop=priced)
    make(shop_owners[0], shop_owners)
    with pytest.raises(Refused, match=r"add required column shop_item.cost: give it a default"):
        upgrade(shop.database, shop_owners, allow_destructive=True)

    assert len(problems) == 1


def test_empty_values_are_filled_with_the_default(shop: Shop) -> None:
    filled(shop, PLAIN, None, "b")
    required = item(column("name", sa.String(40), nullable=False, backfill="none"))

    refused = refusal(shop, required)
    upgrade(shop.database, shop.owners(shop=required), allow_destructive=True)

    assert [loss.rows for loss in refused.losses] == [1]
    assert shop.execute("SELECT name FROM shop_item ORDER BY name") == [("b",), ("none",)]


def test_duplicates_keep_a_unique_away(shop: Shop) -> None:
    filled(shop, PLAIN, "a", "a", "b", None, None)

    refused = refusal(shop, item(NAME, sa.UniqueConstraint("name")))

    assert "add uq_shop_item_name, which these rows contradict (1 row at stake)" in str(refused)


def test_contradicting_rows_keep_a_check_away(shop: Shop) -> None:
    filled(shop, PLAIN, "a", "bad", None)

    refused = refusal(shop, item(NAME, sa.CheckConstraint("name <> 'bad'", name="good")))

    assert [loss.rows for loss in refused.losses] == [1]


def test_downgrade_counts_rows_too(shop: Shop) -> None:
    filled(shop, PLAIN, "a")
    owners = shop.owners(shop=PLAIN)

    with pytest.raises(Refused, match=r"drop table shop_item \(1 row at stake\)"):
        downgrade(shop.database, owners, "shop", "base")
    downgrade(shop.database, owners, "shop", "base", allow_destructive=True)

    assert "shop_item" not in shop.tables()


def test_renamed_and_dropped_count_under_old_names(shop: Shop) -> None:
    filled(shop, item(NAME, column("note", sa.Text())), "a", "b")
    shop.execute("UPDATE shop_item SET note = 'x'")

    refused = refusal(
        shop, item(column("title", sa.String(40), was="name"), name="shop_thing", was="shop_item")
    )

    assert [(loss.what, loss.rows) for loss in refused.losses] == [("drop column shop_thing.note", 2)]


def test_orphans_keep_a_reference_away(shop: Shop) -> None:
    filled(shop, item(NAME, column("parent_id", Uid())), "a", "b")
    shop.execute("UPDATE shop_item SET parent_id = :key WHERE name = 'a'", key=KEY.format(77))
    tied = item(NAME, column("parent_id", Uid(), sa.ForeignKey("shop_item.id", ondelete="CASCADE")))

    refused = refusal(shop, tied)

    assert [(loss.what, loss.rows) for loss in refused.losses] == [
        ("add fk_shop_item_parent_id, which these rows contradict", 1)
    ]
