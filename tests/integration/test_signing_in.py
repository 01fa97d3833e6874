"""Signing in at real processes: two servers of one database, one of them serving a plugin alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.serving import Served, served

PASSWORD = "correct horse battery"
ENVIRON = {"HOSTWRIGHT_SECRET": "of-the-tests-" * 4, "HOSTWRIGHT_HTTPS": "off"}
SITE = """grammar: 1
site: {name: Test, plugins: [board]}
resources:
  note: {mixins: [owned], fields: {text: string}, access: owner}
"""
BOARD = """grammar: 1
endpoints:
  login:
    path: /api/auth/login
    identity: sign_in
    alone: true
    out: {type: object, fields: {token: string, user_id: integer}}
    by: number
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site with its database."""
    root = tmp_path / "site"
    plugin = root / "plugins" / "board"
    plugin.mkdir(parents=True)
    (root / "resources.yaml").write_text(SITE)
    (plugin / "plugin.yaml").write_text("name: board\nversion: 0.1.0\n")
    (plugin / "resources.yaml").write_text(BOARD)
    (root / "var").mkdir()
    for words in (("db", "make"), ("db", "upgrade")):
        command = [sys.executable, "-m", "host.cli", *words]
        subprocess.run(command, cwd=root, env={**os.environ, **ENVIRON}, check=True, capture_output=True)
    return root


def ended_at(server: Served, token: str, since: float) -> float:
    """How long after a moment a server refuses a token."""
    while server.ask("GET", "/api/auth/me", token=token)[0] == 200:
        assert time.monotonic() - since < 10
        time.sleep(0.05)
    return time.monotonic() - since


@pytest.mark.parametrize("server", ["gunicorn", "granian"])
def test_session_ends_at_every_process(folder: Path, tmp_path: Path, server: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    alone = ("serve", "--root", str(folder), "--only", "board", "--server", server, "--workers", "1")
    with (
        served(folder, "serve", "--workers", "2", environ=ENVIRON) as together,
        served(other, *alone, environ=ENVIRON) as apart,
    ):
        kept = together.sign_up()
        status, body = apart.ask(
            "POST", "/api/auth/login", {"email": "ann@example.org", "password": PASSWORD}
        )
        assert (status, set(body), body["user_id"]) == (200, {"token", "user_id"}, 1)
        token = body["token"]
        assert together.ask("GET", "/api/notes", token=token)[0] == 200
        assert apart.ask("GET", "/api/notes", token=token)[0] == 404
        assert apart.ask("GET", "/api/auth/me", token=kept)[0] == 200
        assert together.ask("POST", "/api/auth/logout", token=token)[0] == 200
        since = time.monotonic()
        assert ended_at(together, token, since) < 5
        assert ended_at(apart, token, since) < 5
        assert together.ask("GET", "/api/auth/me", token=kept)[0] == 200


def test_unknown_plugin_stops_the_boot(folder: Path) -> None:
    command = [sys.executable, "-m", "host.cli", "serve", "--only", "bord"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **ENVIRON},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.endswith('Error: there is no plugin "bord" to serve alone; did you mean "board"?\n')
