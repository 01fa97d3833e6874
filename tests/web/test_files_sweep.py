"""Clearing away what no row has: each way in which a file can be left behind, and what is never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from host.cli.files import files as command
from host.errors import ConfigurationError
from host.service.sweeping import Sweeper, Swept
from host.storage.paths import new_path
from tests.support.pictures import picture
from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  shelf:
    plural: shelves
    mixins: [owned]
    access: owner
  paper:
    mixins: [owned]
    fields:
      scan: file
      photo: {type: image, variants: {thumb: {width: 9, height: 9}}}
    relations: {shelf: {to: shelf, on_delete: cascade}}
    access: owner
  kept:
    plural: kept
    mixins: [owned, soft_delete]
    fields: {scan: file}
    access: owner
"""
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def stored(core: Core) -> set[str]:
    return {item.path for item in core.site.runtime.storage.items()}


def put(core: Core, path: str) -> str:
    draft = core.site.runtime.storage.begin(path)
    draft.write(b"left behind")
    return draft.finish().path


def sweep(core: Core, *, later: int = 3600, is_dry: bool = False) -> Swept:
    now = datetime.now(UTC) + timedelta(seconds=later)
    return Sweeper.of(core.site.runtime, now, 60, is_dry=is_dry).sweep()


def paper(ann: Caller, **values: Any) -> dict[str, Any]:
    row = ann.make("/api/papers", **values)
    assert ann.send("PUT", f"/api/papers/{row['id']}/scan", b"words", TEXT).status == 200
    return row


def test_files_with_rows_stay(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    ann.send("PUT", f"/api/papers/{row['id']}/photo", picture(), {"Content-Type": "image/png"})
    ann.get(f"/api/papers/{row['id']}/photo?variant=thumb")
    held = ann.make("/api/kept")
    ann.send("PUT", f"/api/kept/{held['id']}/scan", b"x", TEXT)
    assert ann.delete(f"/api/kept/{held['id']}").status == 204
    before = stored(core)
    assert sweep(core) == Swept()
    assert stored(core) == before


def test_foreign_database_removes_nothing(core: Core) -> None:
    storage = core.site.runtime.storage
    path = put(core, new_path("site/paper"))
    with core.writing() as ctx:
        table = ctx.table("host.file")
        known = [dict(row) for row in ctx.execute(table.select()).mappings()]
        ctx.execute(table.delete())
    try:
        with pytest.raises(ConfigurationError, match="is it the right one"):
            sweep(core)
        assert storage.size(path) and sweep(core, is_dry=True).orphaned == [path]
    finally:
        storage.delete(path)
        with core.writing() as ctx:
            for row in known:
                ctx.execute(ctx.table("host.file").insert().values(row))


def test_what_is_young_stays(core: Core) -> None:
    paper(core.user())
    path = put(core, new_path("site/paper"))
    assert path not in sweep(core, later=0).orphaned
    assert sweep(core).orphaned == [path]
    assert path not in stored(core)


def test_drafts_are_removed(core: Core) -> None:
    draft = core.site.runtime.storage.begin(new_path("site/paper"))
    draft.write(b"half")
    assert len(sweep(core, is_dry=True).broken_off) == 1
    assert len(sweep(core).broken_off) == 1
    assert not list(core.site.runtime.storage.drafts())
    draft.discard()


def test_rows_that_the_database_removed_leave_nothing(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    before = stored(core)
    with core.writing() as ctx:
        table = ctx.table("paper")
        ctx.execute(table.delete().where(table.c.id == row["id"]))
    assert len(sweep(core, is_dry=True).forgotten) == 1 and stored(core) == before
    assert len(sweep(core).forgotten) == 1
    assert len(stored(core)) == len(before) - 1
    assert sweep(core) == Swept()


def test_cascades_take_files_along(core: Core) -> None:
    ann = core.user()
    shelf = ann.make("/api/shelves")
    paper(ann, shelf=shelf["id"])
    before = stored(core)
    assert ann.delete(f"/api/shelves/{shelf['id']}").status == 204
    assert len(stored(core)) == len(before) - 1


def test_files_of_others_are_never_removed(core: Core) -> None:
    path = put(core, "entity_photos/family.jpg")
    assert sweep(core) == Swept() and path in stored(core)
    core.site.runtime.storage.delete(path)


def test_missing_files_are_told(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    path = core.native("paper", row["id"])["scan"]
    core.site.runtime.storage.delete(path)
    assert sweep(core).missing == [("site.paper.scan", path)]
    assert ann.get(f"/api/papers/{row['id']}/scan").status == 404
    assert ann.delete(f"/api/papers/{row['id']}").status == 204
    assert sweep(core) == Swept()


@pytest.fixture
def run(declare: Declare, core: Core, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command on the module's site."""
    root = core.site.app.settings.root
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", core.site.app.settings.database_url)
    monkeypatch.setenv("HOSTWRIGHT_STORAGE", core.site.app.settings.storage.place)
    return lambda *words: CliRunner().invoke(command, [*words, "--root", str(root)])


def test_command_tells_what_it_does(core: Core, run: Callable[..., Any]) -> None:
    paper(core.user())
    path = put(core, new_path("site/paper"))
    dry = run("sweep", "--grace", "0", "--dry-run")
    assert dry.stdout == f"not on record: {path}\nwould remove 1 files; 0 are missing\n"
    assert run("sweep", "--grace", "0").stdout.endswith("removed 1 files; 0 are missing\n")
    assert run("sweep").stdout == "removed 0 files; 0 are missing\n"
    listed = [
        json.loads(line)
        for line in run("list", "--resource", "site.paper", "--limit", "1").stdout.splitlines()
    ]
    assert [(it["size"], it["type"], it["field"]) for it in listed] == [(5, "text/plain", "scan")]


def test_command_fails_when_files_are_missing(core: Core, run: Callable[..., Any]) -> None:
    row = paper(core.user())
    path = core.native("paper", row["id"])["scan"]
    (Path(core.site.app.settings.storage.place) / path).unlink()
    found = run("sweep")
    assert found.exit_code == 1 and f"missing: site.paper.scan {path}" in found.output
    with core.writing() as ctx:
        ctx.records("paper").delete(row["id"])
