"""`hostwright access diff`: a site in a git work tree against what it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from host.cli import main

SITE = "grammar: 1\nsite: {name: Test, plugins: [shop]}\n"
MANIFEST = "name: shop\nversion: 0.1.0\n"
FIRST = """grammar: 1
resources:
  item:
    mixins: [owned]
    fields: {name: string, price: {type: integer, read: "role('staff')"}}
    access: {read: owner, write: owner}
"""
Result = Any


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site below the top of a work tree, committed once, whose code must never be imported from there."""
    root = tmp_path / "work" / "site"
    (root / "plugins/shop").mkdir(parents=True)
    (root / "resources.yaml").write_text(SITE)
    (root / "plugins/shop/plugin.yaml").write_text(MANIFEST)
    (root / "plugins/shop/resources.yaml").write_text(FIRST)
    (root / "plugins/shop/__init__.py").write_text("raise RuntimeError('the former version was run')\n")
    git(root.parent, "init", "-q")
    git(root.parent, "add", ".")
    git(root.parent, "commit", "-q", "-m", "first")
    (root / "plugins/shop/__init__.py").write_text("")
    return root


def declare(root: Path, text: str) -> None:
    (root / "plugins/shop/resources.yaml").write_text(text)


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["access", "diff", "--root", str(root), *words])


def test_unchanged_site_opens_nothing(root: Path) -> None:
    said = run(root, "HEAD")
    assert (said.exit_code, said.output) == (0, "Nobody may do more or less than at HEAD.\n")


def test_opened_operation_fails_the_build(root: Path) -> None:
    declare(root, FIRST.replace("read: owner, write", "read: authenticated, write"))
    said = run(root, "HEAD")
    assert said.exit_code == 1
    assert "opened:\n" in said.output
    assert "  shop.item  list  for authenticated\n      was: owner\n      is:  authenticated\n" in said.output


def test_closed_operation_passes(root: Path) -> None:
    declare(root, FIRST.replace("write: owner", "write: \"owner and role('staff')\""))
    said = run(root, "HEAD")
    assert said.exit_code == 0
    assert "closed:\n" in said.output


def test_incomparable_rules_are_shown(root: Path) -> None:
    declare(root, FIRST.replace("read: owner, write", "read: \"name == 'open'\", write"))
    said = run(root, "HEAD")
    assert said.exit_code == 1
    assert "changed, and not proven to be only closed:" in said.output
    assert "was: owner\n      is:  name == 'open'" in said.output


def test_changes_as_json(root: Path) -> None:
    declare(root, FIRST.replace(", read: \"role('staff')\"", ""))
    found = json.loads(run(root, "--format", "json", "HEAD").output)["changes"]
    reading = next(it for it in found if it["what"] == "field price read")
    assert reading == {
        "effect": "opened", "subject": "shop.item", "what": "field price read", "who": ["anonymous", "authenticated"],
        "before": "role('staff')", "after": "whoever has the row",
    }  # fmt: skip


def test_added_plugin_opens_what_it_declares(root: Path) -> None:
    (root / "plugins/yard").mkdir()
    (root / "plugins/yard/plugin.yaml").write_text(MANIFEST.replace("shop", "yard"))
    (root / "plugins/yard/resources.yaml").write_text(FIRST)
    (root / "resources.yaml").write_text(SITE.replace("[shop]", "[shop, yard]"))
    said = run(root, "HEAD")
    assert (said.exit_code, "yard.item  list" in said.output) == (1, True)


@pytest.mark.parametrize("revision", ["nothing", "--", "HEAD~5"])
def test_unknown_revision_is_an_error(root: Path, revision: str) -> None:
    said = run(root, "--", revision)
    assert said.exit_code == 2
    assert said.output.startswith("Error: ")


def test_site_outside_of_git_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    said = run(tmp_path, "HEAD")
    assert (said.exit_code, "not a git repository" in said.output) == (2, True)


def test_broken_declarations_are_an_error(root: Path) -> None:
    declare(root, "grammar: 1\nresources: {item: {access: pubic}}\n")
    said = run(root, "HEAD")
    assert (said.exit_code, 'did you mean "public"?' in said.output) == (2, True)
