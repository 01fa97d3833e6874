"""`show`, `routes` and `explain`: what they print of a small site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from host.actor import SYSTEM
from host.cli import main
from host.cli.run import prepare
from host.settings import read_settings
from host.testing.sites import Site

SITE = """grammar: 1
site: {name: Test}
rules:
  own_draft: {when: "owner and status == 'draft'", doc: only drafts may go}
resources:
  note:
    doc: Something to remember.
    mixins: [owned]
    fields: {status: {type: enum, values: [draft, done], default: draft}}
    events: {finished: {by: string, hours: decimal}}
    access: {every: owner, delete: [own_draft, "role('admin')"]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "resources.yaml").write_text(SITE)
    return tmp_path


def run(root: Path, *words: str) -> Any:
    return CliRunner().invoke(main, [words[0], "--root", str(root), *words[1:]])


def test_show_prints_what_it_has_become(root: Path) -> None:
    shown = run(root, "show", "note").output
    for part in (
        "site.note  Something to remember.",
        "own_draft or role('admin')",
        "CREATE TABLE site_note",
        "/api/notes",
    ):
        assert part in shown


def test_show_tells_the_events(root: Path) -> None:
    shown = run(root, "show", "note").output
    assert "\n  created\n" in shown
    assert "  finished  {by: string, hours: decimal}\n" in shown
    assert "events" not in run(root, "show", "host.job").output


def test_unknown_resource_is_guessed(root: Path) -> None:
    refused = run(root, "show", "site.nte")
    assert (refused.exit_code, 'did you mean "site.note"?' in refused.output) == (1, True)


def test_routes_as_json_name_operations(root: Path) -> None:
    found = {item["operation"]: item for item in json.loads(run(root, "routes", "--json").output)}
    assert found["listSiteNote"]["path"] == "/api/notes"
    assert found["deleteSiteNote"]["access"] == ["own_draft", "role('admin')"]


def test_explain_names_the_deciding_clause(root: Path) -> None:
    settings = read_settings(root, is_embedded=True)
    prepare(settings)
    site = Site.make(root, settings.database_url)
    actor = site.account("ann")
    with site.runtime.writing(SYSTEM) as ctx:
        note = ctx.records("site.note").create({"owner": actor.id, "status": "done"})
    site.close()
    said = run(root, "explain", "--as", "ann", "delete", f"note/{note['id']}").output
    assert "as ann: denied" in said
    assert "fails      status == 'draft'" in said
    assert "# only drafts may go" in said
    allowed = run(root, "explain", "--as", "ann", "get", f"site.note/{note['id']}").output
    assert "allowed\ndecided by: owner" in allowed
    assert "denied" in run(root, "explain", "get", f"note/{note['id']}").output
