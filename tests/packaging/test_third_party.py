"""A plugin of somebody else: built as a wheel, installed, enabled by its name, migrated and called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import served

FILES = {
    "pyproject.toml": """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hostwright-guestbook"
version = "0.3.0"

[project.entry-points."hostwright.plugins"]
guestbook = "hostwright_guestbook"

[tool.hatch.build.targets.wheel]
packages = ["hostwright_guestbook"]
""",
    "hostwright_guestbook/__init__.py": '"""A guest book."""\n',
    "hostwright_guestbook/plugin.yaml": """name: guestbook
version: 0.3.0
settings: {greeting: {type: string, default: Welcome}}
""",
    "hostwright_guestbook/resources.yaml": """grammar: 1
types:
  greeting: {type: object, fields: {text: string}}
resources:
  entry:
    plural: entries
    mixins: [owned]
    fields: {text: {type: string, required: true}}
    access: {read: public, write: owner}
    actions:
      greet: {target: collection, method: GET, call: actions.greet, access: public, out: greeting}
""",
    "hostwright_guestbook/actions.py": """from host import Context


def greet(ctx: Context, data):
    return {"text": f"{ctx.settings['greeting']}, reader of {ctx.records('entry').count()} entries"}
""",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the plugin's wheel in it and its first revision made by its author."""
    source = tmp_path_factory.mktemp("guestbook")
    for name, text in FILES.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    _make_revision(source, tmp_path_factory.mktemp("author"))
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", source / "dist", source]
    subprocess.run(build, check=True, capture_output=True)
    packages = tmp_path_factory.mktemp("packages")
    wheel = next((source / "dist").glob("*.whl"))
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        packages,
    ]
    subprocess.run([*install, wheel], check=True)
    return packages


def _make_revision(source: Path, site: Path) -> None:
    """What its author does: the plugin as a folder of a site, `hostwright db make`."""
    _write_site(site)
    (site / "plugins").mkdir()
    (site / "plugins" / "guestbook").symlink_to(source / "hostwright_guestbook")
    make = [sys.executable, "-m", "host.cli", "db", "make", "guestbook"]
    subprocess.run(make, cwd=site, check=True, capture_output=True)


def _write_site(folder: Path) -> None:
    text = "grammar: 1\nsite: {name: Test, plugins: [guestbook]}\nsettings: {guestbook: {greeting: Hello}}\n"
    (folder / "resources.yaml").write_text(text)


def test_installed_plugin_is_called(installed: Path, tmp_path: Path) -> None:
    _write_site(tmp_path)
    with served(tmp_path, "run", environ={"PYTHONPATH": str(installed)}) as site:
        token = site.sign_up()
        assert site.ask("POST", "/api/guestbook/entries", {"text": "Hi"}, token)[0] == 201
        assert site.ask("GET", "/api/guestbook/entries/greet") == (
            200,
            {"text": "Hello, reader of 1 entries"},
        )
        assert site.ask("GET", "/api/version")[1]["plugins"] == {"guestbook": "0.3.0"}


def test_installed_plugin_is_off_until_named(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    routes = subprocess.run(
        [sys.executable, "-m", "host.cli", "routes"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "guestbook" not in routes.stdout
