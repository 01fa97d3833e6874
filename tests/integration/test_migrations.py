"""Migrations as an operator and a plugin's author meet them: YAML in, `hostwright db` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from host.cli import main
from host.database import Database

Db = Callable[..., Result]
SITE = """
grammar: 1
site: {name: Shop, plugins: [%s]}
"""
PLUGIN = """
name: %s
version: 1.0.0
"""
FIRST = """
grammar: 1
resources:
  label:
    access: authenticated
    fields: {name: {type: string, max: 20}}
  item:
    access: authenticated
    fields:
      name: {type: string, max: 40, required: true}
      kind: {type: enum, values: [old, new], default: new}
      note: text
    relations:
      labels: {to: label, many: true}
    unique: [{fields: [name], lower: [name]}]
    checks: [{that: "kind == 'new' or note is not None"}]
"""
RENAMED = (
    FIRST.replace("  label:", "  tag:\n    was: label")
    .replace("to: label", "to: tag")
    .replace("  item:", "  article:\n    was: item")
    .replace("note: text", "remark: {type: text, was: note}")
    .replace("note is", "remark is")
)
KEYS = ("0190a5b0-0000-7000-8000-000000000001", "0190a5b0-0000-7000-8000-000000000002")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with the plugin `shop`."""
    write(tmp_path, "shop", FIRST)
    (tmp_path / "resources.yaml").write_text(SITE % "shop")
    return tmp_path


@pytest.fixture
def db(site: Path, database_url: str) -> Db:
    """Run `hostwright db …` for the site."""
    environ = {"HOSTWRIGHT_ROOT": str(site), "HOSTWRIGHT_DATABASE_URL": database_url}
    runner = CliRunner(env=environ)
    return lambda *arguments: runner.invoke(main, ["db", *arguments], catch_exceptions=False)


def write(root: Path, plugin: str, declarations: str) -> None:
    folder = root / "plugins" / plugin
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.yaml").write_text(PLUGIN % plugin)
    (folder / "resources.yaml").write_text(declarations)


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements and return the rows of the last."""
    database = Database.open(url)
    with database.writing() as connection:
        for statement in statements:
            found = connection.execute(sa.text(statement))
        rows = [tuple(row) for row in found] if found.returns_rows else []
    database.dispose()
    return rows


def store(url: str) -> None:
    label, item = KEYS
    execute(
        url,
        f"INSERT INTO shop_label (id, name) VALUES ('{label}', 'red')",
        f"INSERT INTO shop_item (id, name, kind, note) VALUES ('{item}', 'Lamp', 'old', 'kept')",
        f"INSERT INTO shop_item_labels (item_id, label_id) VALUES ('{item}', '{label}')",
    )


def test_first_run_makes_and_upgrades(db: Db, site: Path) -> None:
    assert "create table shop_item" in db("plan").output
    assert "wrote plugins/shop/migrations/0001_" in db("make").output
    assert "upgrade shop 0001_" in db("upgrade").output

    assert db("plan").output == "Nothing to do: the database matches the declarations.\n"
    assert db("check").exit_code == 0
    assert len(list((site / "plugins/shop/migrations").glob("*.py"))) == 1


def test_check_fails_until_everything_ran(db: Db, site: Path) -> None:
    behind = db("check")
    db("make")
    unrun = db("check")
    db("upgrade")

    assert behind.exit_code == unrun.exit_code == 1
    assert "run `hostwright db make shop`" in behind.output
    assert "run `hostwright db upgrade`" in unrun.output
    assert db("check").exit_code == 0


def test_renamed_resources_keep_their_rows(db: Db, site: Path, database_url: str) -> None:
    db("make")
    db("upgrade")
    store(database_url)
    write(site, "shop", RENAMED)

    steps = json.loads(db("plan", "--json").output)["steps"]
    db("make")
    upgraded = db("upgrade")

    assert not any(step["destructive"] for step in steps)
    assert upgraded.exit_code == 0
    assert execute(database_url, "SELECT name, remark FROM shop_article") == [("Lamp", "kept")]
    assert len(execute(database_url, "SELECT article_id, tag_id FROM shop_article_labels")) == 1
    assert db("plan").output == "Nothing to do: the database matches the declarations.\n"


def test_destructive_steps_need_the_flag(db: Db, site: Path, database_url: str) -> None:
    db("make")
    db("upgrade")
    store(database_url)
    write(
        site,
        "shop",
        FIRST.replace("      note: text\n", "").replace(" or note is not None", " or name != ''"),
    )
    db("make", "-m", "Forget the notes")

    planned = db("plan")
    refused = db("upgrade")
    allowed = db("upgrade", "--allow-destructive")

    assert "drop column shop_item.note  DESTRUCTIVE, 1 row at stake" in planned.output
    assert refused.exit_code == 1
    assert "drop column shop_item.note (1 row at stake)" in refused.output
    assert "Forget the notes" in allowed.output
    assert execute(database_url, "SELECT count(*) FROM shop_item_labels") == [(1,)]


def test_plan_shows_the_sql(db: Db, site: Path) -> None:
    db("make")
    db("upgrade")
    write(site, "shop", FIRST.replace("      note: text\n", "      note: text\n      size: integer\n"))

    shown = db("plan", "--sql").output

    assert shown == "shop\n  add column shop_item.size\n    ALTER TABLE shop_item ADD COLUMN size BIGINT;\n"


def test_removed_plugin_stays_until_its_base(db: Db, site: Path) -> None:
    write(site, "crm", FIRST)
    (site / "resources.yaml").write_text(SITE % "crm, shop")
    db("make")
    db("upgrade")
    (site / "resources.yaml").write_text(SITE % "shop")

    left = db("plan")
    check = db("check")
    db("downgrade", "crm", "base")

    assert "Not enabled: crm has tables here" in left.output
    assert check.exit_code == 0
    assert "crm" not in db("plan").output


def test_downgrade_goes_one_step_back(db: Db, site: Path) -> None:
    db("make")
    db("upgrade")
    write(site, "shop", FIRST.replace("      note: text\n", "      note: text\n      size: integer\n"))
    db("make")
    db("upgrade")

    back = db("downgrade", "shop", "-1")

    assert "downgrade shop 0002_" in back.output
    assert "add column shop_item.size" in db("plan").output


LONG = """
grammar: 1
resources:
  assignment_of_members_to_investigations:
    access: authenticated
    fields: {organisation_number: integer, investigation_number: integer, member_number: integer, name: string}
    unique:
      - [organisation_number, investigation_number, member_number]
      - {fields: [investigation_number, member_number, name], lower: [name]}
    indexes: [[member_number, organisation_number, investigation_number]]
"""


def test_long_names_are_the_same_everywhere(db: Db, site: Path) -> None:
    write(site, "shop", LONG)

    db("make")
    db("upgrade")

    assert db("check").exit_code == 0
    assert db("plan").output == "Nothing to do: the database matches the declarations.\n"


def test_history_marks_what_has_run(db: Db, site: Path) -> None:
    db("make")
    db("upgrade")
    write(site, "shop", FIRST.replace("      note: text\n", "      note: text\n      size: integer\n"))
    db("make")

    lines = [line.split("  ")[-1] for line in db("history").output.splitlines() if "000" in line]
    marks = [line for line in db("history").output.splitlines() if line.startswith("  *")]

    assert lines[-2:] == ["Create shop_item, shop_label, shop_item_labels.", "Add column shop_item.size."]
    assert len(marks) == len(lines) - 3  # two headings hold a revision, and one has not run


def test_embedded_files_follow_the_url(db: Db, site: Path) -> None:
    runner = CliRunner(env={"HOSTWRIGHT_ROOT": str(site), "HOSTWRIGHT_DATABASE_URL": None})

    runner.invoke(main, ["db", "make"], catch_exceptions=False)
    runner.invoke(main, ["db", "upgrade"], catch_exceptions=False)

    assert (site / "var" / "hostwright.db").is_file()
