"""`hostwright check --deploy`: what of a server stands open, and when nothing does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from host.cli import main

SITE = """grammar: 1
site: {name: Test}
resources:
  note: {mixins: [owned], fields: {text: string}, access: owner, limits: 10/minute}
"""
CLOSED = {
    "HOSTWRIGHT_SECRET": "s" * 40,
    "HOSTWRIGHT_PUBLIC_URL": "https://api.example.org",
    "HOSTWRIGHT_PROXIES": "10.0.0.1",
    "HOSTWRIGHT_ADDRESS_RATE": "600/minute",
    "HOSTWRIGHT_SIGN_UP": "off",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # tests may be root; that has a test of its own
    (tmp_path / "resources.yaml").write_text(SITE)
    (tmp_path / "var").mkdir(mode=0o700)
    return tmp_path


def checked(folder: Path, *options: str, **given: str) -> Result:
    environ = {**CLOSED, **{f"HOSTWRIGHT_{name}": value for name, value in given.items()}}
    return CliRunner().invoke(main, ["check", "--deploy", "--root", str(folder), *options], env=environ)


def findings(folder: Path, **given: str) -> list[str]:
    """What stands open."""
    told: list[dict[str, Any]] = json.loads(checked(folder, "--json", **given).stdout)["findings"]
    return [f"{it['about']}: {it['message']}" for it in told if it["level"] == "open"]


def test_closed_site_has_nothing_open(folder: Path) -> None:
    result = checked(folder)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "nothing stands open")
    assert "note  rates: without HOSTWRIGHT_REDIS_URL" in result.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"HTTPS": "off"}, "HTTPS: HOSTWRIGHT_HTTPS is off"),
        ({"HSTS_SECONDS": "off"}, "HSTS: HOSTWRIGHT_HSTS_SECONDS is off"),
        ({"PROXIES": ""}, "proxy: the servers speak plain HTTP"),
        ({"PROXIES": "0.0.0.0/0"}, "proxy: 0.0.0.0/0"),
        ({"PUBLIC_URL": ""}, "names: set HOSTWRIGHT_PUBLIC_URL"),
        ({"CORS_ORIGINS": "*"}, "origins: HOSTWRIGHT_CORS_ORIGINS is *"),
        ({"CORS_ORIGINS": "http://app.example.org"}, "origins: pages that came over plain HTTP"),
        ({"ADDRESS_RATE": ""}, "rates: set HOSTWRIGHT_ADDRESS_RATE"),
        ({"LIMITS": "off"}, "rates: HOSTWRIGHT_LIMITS is off"),
        ({"SIGN_UP": "on"}, "sign-up: HOSTWRIGHT_SIGN_UP is on"),
        ({"DATABASE_URL": "postgresql://me:hidden@db.example.org/site"}, "database: the way to PostgreSQL"),
        ({"SECRET": "short"}, "settings: set HOSTWRIGHT_SECRET"),
        ({"CORS_CREDENTIALS": "on"}, "settings: HOSTWRIGHT_CORS_CREDENTIALS is on"),
    ],
)
def test_everything_open_is_told(folder: Path, given: dict[str, str], told: str) -> None:
    (found,) = findings(folder, **given)
    assert found.startswith(told)
    assert "hidden" not in found
    assert checked(folder, **given).exit_code == 1


def test_strangers_that_write_are_told(folder: Path) -> None:
    (folder / "resources.yaml").write_text(
        SITE.replace("access: owner", "access: {every: owner, create: public}")
    )
    (found,) = findings(folder)
    assert found.startswith("access: without signing in anybody may call POST /api/notes")


def test_readable_files_are_told(folder: Path) -> None:
    (folder / "var").chmod(0o755)
    (found,) = findings(folder)
    assert found.endswith(f"run `chmod o= {folder / 'var'}`")


def test_root_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert findings(folder) == ["user: this is root: serve as a user of its own"]


def test_broken_declarations_come_first(folder: Path) -> None:
    (folder / "resources.yaml").write_text(SITE.replace("string", "strng"))
    result = checked(folder)
    assert result.exit_code == 1
    assert 'did you mean "string"?' in result.stdout
