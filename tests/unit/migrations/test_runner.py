"""Running revisions: whole or not at all, in order, by one process, and touching only what is owned."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.database import Database
from host.fields.columns import Uid
from host.migrations.errors import MigrationError
from host.migrations.pending import pending
from host.migrations.runner import downgrade, upgrade
from host.migrations.script import make
from tests.unit.migrations.shop import KEY, Shop, all_of, column, indexed, item, keys, summaries

NAME = column("name", sa.String(40))
PLAIN = item(NAME)
CUSTOMER = item(column("title", sa.String(20)), name="shop_customer")
BROKEN = '''"""Break."""
import sqlalchemy as sa
from alembic import op
revision = "0002_broken"
down_revision = "{down}"
def upgrade() -> None:
    op.create_table("shop_extra", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE shop_item SET name = 'changed'")
    with op.batch_alter_table("shop_item") as batch:
        batch.alter_column("name", existing_type=sa.String(40), nullable=False)
    op.execute("INSERT INTO nowhere VALUES (1)")
def downgrade() -> None:
    pass
'''


def test_failing_revision_leaves_nothing_behind(shop: Shop) -> None:
    [applied] = shop.apply(shop=PLAIN)
    shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, 'kept')", id=KEY.format(1))
    before = shop.tables()
    (shop.folder / "shop" / "0002_break.py").write_text(BROKEN.format(down=applied.revision))

    with pytest.raises(MigrationError, match=r"shop 0002_broken .* left nothing behind"):
        upgrade(shop.database, shop.owners(shop=PLAIN))

    assert shop.tables() == before
    assert shop.execute("SELECT name FROM shop_item") == [("kept",)]
    assert [each.current for each in pending(shop.database, shop.owners(shop=PLAIN))] == [applied.revision]


def test_changed_parent_keeps_its_children(shop: Shop) -> None:
    child = item(
        column("customer_id", Uid(), sa.ForeignKey("shop_customer.id", ondelete="CASCADE"), nullable=False)
    )
    shop.apply(shop=all_of(CUSTOMER, child))
    shop.execute("INSERT INTO shop_customer (id, title) VALUES (:id, 'x')", id=KEY.format(1))
    for key in keys(5):
        shop.execute("INSERT INTO shop_item (id, customer_id) VALUES (:id, :to)", id=key, to=KEY.format(1))

    longer = item(
        column("title", sa.String(90), nullable=False, backfill=""),
        column("b", sa.Text()),
        name="shop_customer",
    )
    shop.apply(shop=all_of(longer, child))

    assert shop.execute("SELECT count(*) FROM shop_item") == [(5,)]
    shop.execute("DELETE FROM shop_customer")
    assert shop.execute("SELECT count(*) FROM shop_item") == [(0,)]  # enforced again, also in new connections


def test_unowned_tables_are_left_alone(shop: Shop) -> None:
    shop.execute("CREATE TABLE shop_legacy (id INTEGER PRIMARY KEY)")
    shop.apply(shop=PLAIN)

    assert summaries(shop.plan(shop=PLAIN)) == []
    assert summaries(shop.plan(shop=lambda _metadata: None)) == ["drop table shop_item"]


def test_existing_table_is_adopted_with_rows(shop: Shop) -> None:
    kinds = {"sqlite": "VARCHAR(36)", "postgresql": "UUID"}
    key = kinds[shop.database.dialect]
    shop.execute(f"CREATE TABLE shop_item (id {key} NOT NULL PRIMARY KEY, name VARCHAR(40), old INTEGER)")
    shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, 'kept')", id=KEY.format(1))
    indexed_item = indexed(PLAIN, by_lower)

    shop.apply(shop=indexed_item)

    assert shop.execute("SELECT name FROM shop_item") == [("kept",)]
    assert summaries(shop.plan(shop=indexed_item)) == ["drop column shop_item.old"]


def test_unfit_table_is_not_adopted(shop: Shop) -> None:
    shop.execute("CREATE TABLE shop_item (id INTEGER PRIMARY KEY)")

    with pytest.raises(MigrationError, match="belongs to nobody; to be adopted it lacks name"):
        shop.apply(shop=PLAIN)

    assert shop.execute("SELECT count(*) FROM host_table_owner") == [(0,)]


def test_table_of_another_plugin_is_told(shop: Shop) -> None:
    shop.apply(crm=PLAIN)

    with pytest.raises(MigrationError, match="shop_item, which belongs to crm in this database"):
        shop.plan(shop=PLAIN)


def test_table_of_two_plugins_is_refused(shop: Shop) -> None:
    owners = [*shop.owners(shop=PLAIN), *shop.owners(crm=PLAIN)]

    with pytest.raises(MigrationError, match="shop_item is declared by shop and by crm"):
        upgrade(shop.database, owners)


def test_removed_plugin_leaves_others_working(shop: Shop) -> None:
    crm = item(NAME, name="crm_person")
    shop.apply(crm=crm, shop=PLAIN)

    wider = item(NAME, column("more", sa.Text()))
    applied = shop.apply(shop=wider)

    found = shop.plan(shop=wider)
    assert [each.owner for each in applied] == ["shop"]
    assert (found.steps, found.pending, found.orphans) == ((), (), ("crm",))
    assert "crm_person" in shop.tables()


def test_downgrade_to_base_leaves_others(shop: Shop) -> None:
    crm = item(NAME, name="crm_person")
    shop.apply(crm=crm, shop=PLAIN)

    downgrade(shop.database, shop.owners(crm=crm, shop=PLAIN), "shop", "base")

    assert shop.tables() == {"crm_person", "alembic_version_crm", "host_table_owner"}
    assert shop.execute("SELECT plugin, table_name FROM host_table_owner") == [("crm", "crm_person")]


def test_plugin_comes_back_after_its_base(shop: Shop) -> None:
    shop.apply(shop=PLAIN)
    downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "base")

    upgrade(shop.database, shop.owners(shop=PLAIN))

    assert summaries(shop.plan(shop=PLAIN)) == []


def test_downgrade_takes_relative_steps(shop: Shop) -> None:
    shop.apply(shop=PLAIN)
    for position in range(3):
        shop.apply(shop=item(NAME, *(column(f"more_{number}", sa.Text()) for number in range(position + 1))))

    back = downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "-2")

    assert len(back) == 2
    assert summaries(shop.plan(shop=item(NAME, column("more_0", sa.Text())))) == []


def test_database_ahead_of_scripts_is_told(shop: Shop) -> None:
    shop.apply(shop=PLAIN)
    shop.apply(shop=item(NAME, column("more", sa.Text())))
    last = max((shop.folder / "shop").glob("0002*.py"))
    last.unlink()

    owners = shop.owners(shop=PLAIN)
    assert "which this version does not know" in str(pending(shop.database, owners)[0])
    with pytest.raises(MigrationError, match="cannot go to head with the scripts"):
        upgrade(shop.database, owners)


def test_nothing_to_run_is_quick(shop: Shop) -> None:
    people = {f"plugin{number}": item(NAME, name=f"plugin{number}_person") for number in range(3)}
    shop.apply(**people)
    owners = shop.owners(**people)

    spent = []
    for _attempt in range(3):
        start = time.process_time()
        assert upgrade(shop.database, owners) == ()
        spent.append(time.process_time() - start)

    assert min(spent) < 0.06


def by_lower(table: sa.Table) -> sa.Index:
    return sa.Index("by_lower", sa.func.lower(table.c.name))


def test_triggers_survive_a_rebuilt_table(tmp_path: Path) -> None:
    # Only SQLite rebuilds tables.
    shop = Shop(Database.open(f"sqlite:///{tmp_path / 'shop.db'}"), tmp_path)
    shop.apply(shop=indexed(PLAIN, by_lower))
    shop.execute(
        "CREATE TRIGGER tell AFTER INSERT ON shop_item BEGIN UPDATE shop_item SET name = 'told'; END"
    )

    shop.apply(shop=indexed(item(column("name", sa.String(80))), by_lower))
    shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, 'x')", id=KEY.format(1))

    assert shop.execute("SELECT name FROM shop_item") == [("told",)]
    assert shop.execute("SELECT count(*) FROM sqlite_master WHERE name = 'by_lower'") == [(1,)]
    shop.database.dispose()


RACE = """
import sys
from pathlib import Path
import sqlalchemy as sa
from host.database import Database
from host.migrations.owners import Owner
from host.migrations.runner import upgrade
owners = [Owner("shop", Path(sys.argv[2]))]
database = Database.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(len(upgrade(database, owners)), flush=True)
"""


def test_two_processes_upgrade_once(shop: Shop, tmp_path: Path) -> None:
    parts = [column(f"c{number}", sa.String(10)) for number in range(6)]
    for number in range(len(parts)):
        owners = shop.owners(shop=item(*parts[: number + 1]))
        make(owners[0], owners)
    url = shop.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", RACE, url, str(shop.folder / "shop")]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _each in range(2)
    ]

    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    answers = []
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    for racer in racers:
        answers.append(int(racer.communicate(timeout=60)[0]))

    assert sum(answers) == len(parts)
    assert summaries(shop.plan(shop=item(*parts))) == []


def test_renamed_table_frees_its_names(shop: Shop) -> None:
    unique = sa.UniqueConstraint("name")
    shop.apply(shop=item(NAME, unique))

    moved = all_of(item(NAME, unique, name="shop_thing", was="shop_item"), item(NAME, unique))
    shop.apply(shop=item(NAME, unique, name="shop_thing", was="shop_item"))
    shop.apply(shop=moved)

    assert summaries(shop.plan(shop=moved)) == []


def test_referred_tables_stay(shop: Shop) -> None:
    child = item(
        column("to_id", Uid(), sa.ForeignKey("shop_customer.id", ondelete="CASCADE")), name="crm_person"
    )
    shop.apply(shop=CUSTOMER, crm=child)

    with pytest.raises(MigrationError, match="crm_person to shop_customer; take those back first"):
        downgrade(
            shop.database, shop.owners(shop=CUSTOMER, crm=child), "shop", "base", allow_destructive=True
        )


def test_filled_table_goes_back_to_base(shop: Shop) -> None:
    shop.apply(shop=item(NAME, column("cost", sa.BigInteger(), nullable=False)))
    shop.apply(shop=PLAIN)
    shop.execute("INSERT INTO shop_item (id, name) VALUES (:id, 'x')", id=KEY.format(1))

    downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "base", allow_destructive=True)

    assert "shop_item" not in shop.tables()


def test_dropped_required_column_returns_neutral(shop: Shop) -> None:
    shop.apply(shop=item(NAME, column("cost", sa.BigInteger(), nullable=False)))
    shop.execute("INSERT INTO shop_item (id, name, cost) VALUES (:id, 'x', 5)", id=KEY.format(1))
    shop.apply(shop=PLAIN)

    downgrade(shop.database, shop.owners(shop=PLAIN), "shop", "-1")

    assert shop.execute("SELECT cost FROM shop_item") == [(0,)]


def test_descending_index_survives_a_rebuild(shop: Shop) -> None:
    def latest(table: sa.Table) -> sa.Index:
        return sa.Index("latest", table.c.name.desc(), _table=table)

    shop.apply(shop=indexed(PLAIN, latest))
    wider = indexed(item(column("name", sa.String(90))), latest)
    shop.apply(shop=wider)

    assert summaries(shop.plan(shop=wider)) == []
