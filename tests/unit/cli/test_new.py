"""`hostwright new`: what it makes is a plugin that checks, and the root file keeps what else stands in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from host.cli import main
from host.cli.new import with_plugin

ROOT = "# ours\ngrammar: 1\nsite: {name: Test, plugins: []}  # none yet\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "resources.yaml").write_text(ROOT)
    return tmp_path


def test_new_plugin_checks_and_serves(root: Path) -> None:
    made = CliRunner().invoke(main, ["new", "plugin", "inventory", "--root", str(root)])
    assert made.exit_code == 0, made.output
    assert "plugins: [inventory]}  # none yet" in (root / "resources.yaml").read_text()
    routes = CliRunner().invoke(main, ["routes", "--root", str(root)])
    assert "/api/inventory/items" in routes.output


def test_tests_of_new_plugin_pass(root: Path) -> None:
    CliRunner().invoke(main, ["new", "plugin", "inventory", "--root", str(root)])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "plugins/inventory",
    ]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_existing_plugin_is_left_alone(root: Path) -> None:
    (root / "plugins" / "inventory").mkdir(parents=True)
    refused = CliRunner().invoke(main, ["new", "plugin", "inventory", "--root", str(root)])
    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert (root / "resources.yaml").read_text() == ROOT


@pytest.mark.parametrize("name", ["Inventory", "9lives", "a-b", "host", "site", "../up"])
def test_odd_name_is_refused(root: Path, name: str) -> None:
    refused = CliRunner().invoke(main, ["new", "plugin", name, "--root", str(root)])
    assert refused.exit_code == 1
    assert not (root / "plugins").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("site: {name: T}\n", "site: {name: T, plugins: [b]}\n"),
        ("site: {name: T, plugins: [a]}\n", "site: {name: T, plugins: [a, b]}\n"),
        ("site:\n  name: T\n  plugins:\n    - a\n", "site:\n  name: T\n  plugins:\n    - a\n    - b\n"),
        ("site: {name: T, plugins: [b]}\n", "site: {name: T, plugins: [b]}\n"),
    ],
)
def test_plugin_is_added_where_it_belongs(before: str, after: str) -> None:
    assert with_plugin(before, "b") == after


def test_unknown_place_is_said() -> None:
    with pytest.raises(click.ClickException, match="write `plugins"):
        with_plugin("site:\n  name: T\n", "b")
