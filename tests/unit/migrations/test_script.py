"""Revision scripts: readable, formatted, stable, and made without a database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.database import NAMING_CONVENTION
from host.fields.columns import Exact, Instant, Json, Uid
from host.migrations.errors import MigrationError
from host.migrations.history import read_history
from host.migrations.owners import Owner
from host.migrations.script import make
from tests.unit.migrations.shop import Declare, column, enum, indexed, item

FULL = indexed(
    item(
        column("name", sa.String(40), nullable=False),
        column("cost", Exact(9, 2)),
        column("made_at", Instant()),
        column("parent_id", Uid(), sa.ForeignKey("shop_item.id", ondelete="SET NULL")),
        column("tags", Json()),
        enum("name", "a", "b"),
        sa.UniqueConstraint("parent_id", "name"),
    ),
    lambda table: sa.Index("by_lower", sa.func.lower(table.c.name), table.c.made_at.desc(), unique=True),
)
EXPECTED = '''"""Create shop_item."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0001_{digest}"
down_revision = None

# Refused without --allow-destructive.
downgrade_destructive = {{
    "drop table shop_item": "SELECT count(*) FROM shop_item",
}}


def upgrade() -> None:
    op.create_table(
        "shop_item",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("cost", columns.Exact(9, 2), nullable=True),
        sa.Column("made_at", columns.Instant(), nullable=True),
        sa.Column("parent_id", columns.Uid(), nullable=True),
        sa.Column("tags", columns.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shop_item"),
        sa.UniqueConstraint("parent_id", "name", name="uq_shop_item_parent_id_name"),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["shop_item.id"], name="fk_shop_item_parent_id", ondelete="SET NULL"
        ),
        sa.CheckConstraint("name IN ('a', 'b')", name="ck_shop_item_name"),
    )
    op.create_index("by_lower", "shop_item", [sa.text("lower(name)"), sa.text("made_at DESC")], unique=True)


def downgrade() -> None:
    op.drop_table("shop_item")
'''


def owner(folder: Path, declare: Declare) -> Owner:
    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    declare(metadata)
    return Owner("shop", folder, tuple(metadata.tables.values()))


def write(folder: Path, declare: Declare, message: str | None = None) -> Path:
    shop = owner(folder, declare)
    path = make(shop, [shop], message)
    assert path is not None
    return path


def test_script_reads_as_people_write(tmp_path: Path) -> None:
    path = write(tmp_path, FULL)

    text = path.read_text()
    assert path.name == "0001_create_shop_item.py"
    assert text == EXPECTED.format(digest=read_history(tmp_path)[0].id.removeprefix("0001_"))


def test_same_change_makes_same_script(tmp_path: Path) -> None:
    assert write(tmp_path / "a", FULL).read_text() == write(tmp_path / "b", FULL).read_text()


def test_nothing_new_makes_no_script(tmp_path: Path) -> None:
    write(tmp_path, FULL)
    shop = owner(tmp_path, FULL)

    assert make(shop, [shop]) is None


def test_scripts_pass_formatter_and_linter(tmp_path: Path, checkout: Path) -> None:
    write(tmp_path, item(column("old", sa.Text()), column("kind", sa.String(9)), enum("kind", "aa", "bb")))
    write(
        tmp_path,
        item(
            column("cost", Exact(9, 2), nullable=False, backfill="0"),
            column("new", sa.Text(), was="old"),
            column("day_of_the_week_when_it_was_made", sa.String(200), backfill="monday", nullable=False),
            column("kind", sa.String(2), backfill="aa", nullable=False),
            enum("kind", "aa"),
            name="shop_thing",
            was="shop_item",
        ),
        'Rename "everything" in sight',
    )

    ruff = Path(sys.executable).with_name("ruff")
    settings = ["--config", str(checkout / "pyproject.toml"), str(tmp_path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *command, *settings], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_revisions_form_a_line(tmp_path: Path) -> None:
    write(tmp_path, item())
    write(tmp_path, item(column("a", sa.Text())), "More to it.")
    write(tmp_path, item(column("a", sa.Text()), column("b", sa.Text())))

    history = read_history(tmp_path)

    assert [revision.message for revision in history] == [
        "Create shop_item.", "More to it.", "Add column shop_item.b."
    ]  # fmt: skip
    assert [revision.down for revision in history] == [None, history[0].id, history[1].id]


def test_branched_history_is_told(tmp_path: Path) -> None:
    write(tmp_path, item())
    write(tmp_path, item(column("a", sa.Text())))
    path = tmp_path / "0002_other.py"
    path.write_text(max(tmp_path.glob("0002_add*")).read_text().replace('revision = "0002', 'revision = "x'))

    with pytest.raises(MigrationError, match=r"both follow 0001_.*set `down_revision` of one"):
        read_history(tmp_path)


def test_lost_revision_is_told(tmp_path: Path) -> None:
    first = write(tmp_path, item())
    write(tmp_path, item(column("a", sa.Text())))
    first.unlink()

    with pytest.raises(MigrationError, match="which is not in its folder"):
        read_history(tmp_path)


def test_changed_key_is_left_to_people(tmp_path: Path) -> None:
    write(tmp_path, item())

    def keyed(metadata: sa.MetaData) -> None:
        sa.Table("shop_item", metadata, sa.Column("id", Uid()), sa.Column("code", Uid(), primary_key=True))

    with pytest.raises(MigrationError, match="the key of shop_item changes from id to code"):
        write(tmp_path, keyed)
