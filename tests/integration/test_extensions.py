"""Columns that plugins add to the account, as an operator meets them: made, kept and taken away by the plugin's revisions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from host.cli import main
from tests.integration.test_migrations import execute, write

Db = Callable[..., Result]
SITE = "grammar: 1\nsite: {name: Shop, plugins: [%s]}\n"
FIRST = """
grammar: 1
extend: {account: {fields: {
  level: {type: integer, default: 1},
  team: {type: enum, values: [red, blue], unique: true}}}}
resources:
  item: {access: "me.level > 1", fields: {name: string}}
"""
SECOND = FIRST.replace("level: {type: integer, default: 1}", "rank: {type: integer, was: level}").replace(
    "me.level", "me.rank"
)
NOTHING = "Nothing to do: the database matches the declarations.\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose plugin `shop` adds to the account."""
    write(tmp_path, "shop", FIRST)
    write(
        tmp_path,
        "yard",
        FIRST.replace("item", "tool").replace("level", "yard_level").replace("team", "yard_team"),
    )
    (tmp_path / "resources.yaml").write_text(SITE % "shop")
    return tmp_path


@pytest.fixture
def db(site: Path, database_url: str) -> Db:
    """Run `hostwright db …` for the site."""
    runner = CliRunner(env={"HOSTWRIGHT_ROOT": str(site), "HOSTWRIGHT_DATABASE_URL": database_url})
    return lambda *arguments: runner.invoke(main, ["db", *arguments], catch_exceptions=False)


def account(url: str, root: Path, number: int, **values: object) -> None:
    """An account made by the host, with values that a plugin's code would have stored."""
    runner = CliRunner(env={"HOSTWRIGHT_ROOT": str(root), "HOSTWRIGHT_DATABASE_URL": url})
    words = ["user", "create", "--username", f"u{number}", "--password-stdin"]
    made = runner.invoke(main, words, input="correct horse battery\n", catch_exceptions=False)
    assert made.exit_code == 0, made.output
    for name, value in values.items():
        execute(url, f"UPDATE host_account SET {name} = '{value}' WHERE username = 'u{number}'")


def test_plugin_makes_its_columns(db: Db, site: Path, database_url: str) -> None:
    assert "add column host_account.shop_level" in db("plan").output
    made = db("make", "shop").output
    db("upgrade")

    account(database_url, site, 1, shop_level=3, shop_team="red")
    assert "wrote plugins/shop/migrations/0001_" in made
    assert db("plan").output == NOTHING
    assert db("check").exit_code == 0
    assert execute(database_url, "SELECT shop_level, shop_team FROM host_account") == [(3, "red")]


def test_disabled_plugin_leaves_its_columns(db: Db, site: Path, database_url: str) -> None:
    db("make", "shop")
    db("upgrade")
    account(database_url, site, 1, shop_level=3)
    (site / "resources.yaml").write_text(SITE % "")

    assert "shop_level" not in db("plan").output
    account(database_url, site, 2)  # an account needs nothing of a plugin that is not enabled
    (site / "resources.yaml").write_text(SITE % "shop")
    assert db("plan").output == NOTHING
    assert execute(database_url, "SELECT shop_level FROM host_account ORDER BY number") == [(3,), (None,)]


def test_second_plugin_adds_beside_the_first(db: Db, site: Path, database_url: str) -> None:
    db("make", "shop")
    db("upgrade")
    account(database_url, site, 1, shop_level=3)
    (site / "resources.yaml").write_text(SITE % "shop, yard")

    made = db("make", "yard").output
    db("upgrade")
    assert "wrote plugins/yard/migrations/0001_" in made
    assert db("plan").output == NOTHING
    assert execute(database_url, "SELECT shop_level, yard_yard_level FROM host_account") == [(3, None)]


def test_renamed_column_keeps_its_values(db: Db, site: Path, database_url: str) -> None:
    db("make", "shop")
    db("upgrade")
    account(database_url, site, 1, shop_level=3)
    write(site, "shop", SECOND)

    db("make", "shop")
    assert db("upgrade").exit_code == 0
    assert db("plan").output == NOTHING
    assert execute(database_url, "SELECT shop_rank FROM host_account") == [(3,)]


def test_removed_plugin_takes_its_columns_away(db: Db, site: Path, database_url: str) -> None:
    db("make", "shop")
    db("upgrade")
    account(database_url, site, 1, shop_level=3)

    refused = db("downgrade", "shop", "base")
    assert refused.exit_code != 0
    assert "drop column host_account.shop_level" in refused.output
    assert db("downgrade", "shop", "base", "--allow-destructive").exit_code == 0
    (site / "resources.yaml").write_text(SITE % "")
    assert db("plan").output == NOTHING
    assert execute(database_url, "SELECT number FROM host_account") == [(1,)]
    assert execute(database_url, "SELECT table_name FROM host_table_owner WHERE plugin = 'shop'") == []
