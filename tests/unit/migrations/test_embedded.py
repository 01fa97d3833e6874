"""The embedded run brings the database to the declarations by itself, as long as nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from host.migrations.check import check
from host.migrations.embedded import prepare_embedded
from host.migrations.errors import MigrationError
from tests.unit.migrations.shop import Shop, column, item, keys, summaries

NAME = column("name", sa.String(40))
PLAIN = item(NAME)


def test_embedded_run_writes_and_applies(shop: Shop) -> None:
    lines = prepare_embedded(shop.database, shop.owners(shop=PLAIN))

    assert lines[0].startswith("wrote ") and lines[0].endswith("0001_create_shop_item.py: create shop_item")
    assert lines[1].startswith("upgrade shop 0001_")
    assert check(shop.database, shop.owners(shop=PLAIN)) == ()


def test_embedded_run_has_nothing_twice(shop: Shop) -> None:
    prepare_embedded(shop.database, shop.owners(shop=PLAIN))

    assert prepare_embedded(shop.database, shop.owners(shop=PLAIN)) == []


def test_embedded_run_loses_nothing(shop: Shop) -> None:
    prepare_embedded(shop.database, shop.owners(shop=item(NAME, column("note", sa.Text()))))

    with pytest.raises(MigrationError, match=r"drop column shop_item.note.*`hostwright db make shop`"):
        prepare_embedded(shop.database, shop.owners(shop=PLAIN))

    assert len(list((shop.folder / "shop").glob("*.py"))) == 1


def test_embedded_run_counts_before_refusing(shop: Shop) -> None:
    unique = item(NAME, sa.UniqueConstraint("name"))
    prepare_embedded(shop.database, shop.owners(shop=PLAIN))
    for key in keys(2):
        shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, 'same')", id=key)

    with pytest.raises(MigrationError, match="which these rows contradict"):
        prepare_embedded(shop.database, shop.owners(shop=unique))
    shop.execute("DELETE FROM shop_item")

    assert len(prepare_embedded(shop.database, shop.owners(shop=unique))) == 2


def test_embedded_run_leaves_packages_alone(shop: Shop) -> None:
    installed = [replace(owner, editable=False) for owner in shop.owners(shop=PLAIN)]

    with pytest.raises(MigrationError, match="installed plugin shop declares tables"):
        prepare_embedded(shop.database, installed)


def test_embedded_run_tells_of_drift(shop: Shop) -> None:
    prepare_embedded(shop.database, shop.owners(shop=PLAIN))
    shop.execute("ALTER TABLE shop_item ADD COLUMN stray TEXT")

    lines = prepare_embedded(shop.database, shop.owners(shop=PLAIN))

    assert lines == ["shop: the database differs from its scripts; `hostwright db plan` says how"]
    assert summaries(shop.plan(shop=PLAIN)) == ["drop column shop_item.stray"]


def test_check_tells_what_is_missing(shop: Shop) -> None:
    shop.apply(shop=PLAIN)
    wider = shop.owners(shop=item(NAME, column("more", sa.Text())))

    [finding] = check(shop.database, wider)

    assert finding == (
        "shop: the declarations are ahead of the scripts (add column shop_item.more);"
        " run `hostwright db make shop`"
    )
