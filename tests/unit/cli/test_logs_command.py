"""`hostwright logs` and the commands of a plugin: rows compared with their events, and made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from host.cli import main
from host.testing.sites import Site
from tests.support.devices import YAML
from tests.support.sites import Core, write_site


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    root = write_site(tmp_path / "site", YAML.replace("POLICY", "last_writer"), code="")
    url = f"sqlite:///{tmp_path / 'logs.sqlite3'}"
    monkeypatch.setenv("HOSTWRIGHT_ROOT", str(root))
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", url)
    made = Core(Site.make(root, url))
    user = made.user()
    key = user.make("/api/demo/contacts", name="Ann", comment="c")["id"]
    user.make("/api/demo/deals", contact_id=key, amount=5)
    user.patch(f"/api/demo/contacts/{key}", {"phone": "1"})
    yield made
    made.site.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def damage(core: Core, *statements: str) -> None:
    with core.site.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def stored(core: Core) -> list[object]:
    with core.site.database.engine.connect() as connection:
        tables = ("demo_contact", "demo_deal")
        return [
            tuple(row) for table in tables for row in connection.execute(sa.text(f"SELECT * FROM {table}"))
        ]


def test_logs_are_listed_with_their_resources(core: Core) -> None:
    assert "demo.entry  demo.contact (contact), demo.deal (transaction)" in run("logs", "list").output


def test_right_rows_pass_the_check(core: Core) -> None:
    result = run("demo", "rebuild-projections", "--check")
    assert result.exit_code == 0, result.output
    assert "contact: 1 right, 0 missing, 0 different, 0 too many" in result.output


def test_damaged_rows_are_told_and_mended(core: Core) -> None:
    before = stored(core)
    damage(core, "DELETE FROM demo_deal", "UPDATE demo_contact SET name = 'Eve', version = 9")
    told = run("logs", "rebuild", "demo.entry", "--check")
    assert told.exit_code == 1 and "1 different" in told.output and "1 missing" in told.output
    assert run("demo", "rebuild-projections").exit_code == 0
    assert stored(core) == before


def test_rows_are_made_anew_from_nothing(core: Core) -> None:
    before = stored(core)
    damage(core, "DELETE FROM demo_deal", "DELETE FROM demo_contact")
    assert "1 made" in run("logs", "rebuild", "demo").output
    assert stored(core) == before


def test_rows_older_than_the_log_are_left(core: Core) -> None:
    damage(core, "DELETE FROM demo_entry WHERE aggregate_type = 'transaction'")
    assert "1 older than the log" in run("logs", "rebuild", "demo.entry").output
    assert len(stored(core)) == 2


def test_unknown_log_and_plugin_are_told(core: Core) -> None:
    assert 'there is no log "none"' in run("logs", "rebuild", "none").output
    assert "No such command 'nobody'" in run("nobody", "rebuild-projections").output
