"""The commands that serve, each a real process: the embedded run, reloading, the servers, and how they stop."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.serving import Served, free_port, served

SECRET = {"HOSTWRIGHT_SECRET": "of-the-tests-" * 4}
DECLARATIONS = """grammar: 1
site: {name: Test, plugins: [slow]}
resources:
  note:
    mixins: [owned]
    fields: {text: {type: string, required: true}}
    access: owner
"""
SLOW = """grammar: 1
endpoints:
  wait:
    {method: GET, path: /api/slow/wait, call: actions.wait, access: public, detached: true,
     out: {type: object, fields: {done: boolean}}}
"""
CODE = """import time


def wait(ctx, data):
    time.sleep(1.5)
    return {"done": True}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plugin = tmp_path / "plugins" / "slow"
    plugin.mkdir(parents=True)
    (tmp_path / "resources.yaml").write_text(DECLARATIONS)
    (plugin / "plugin.yaml").write_text("name: slow\nversion: 0.1.0\n")
    (plugin / "resources.yaml").write_text(SLOW)
    (plugin / "__init__.py").write_text('"""Slow."""\n')
    (plugin / "actions.py").write_text(CODE)
    return tmp_path


def command(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    full = [sys.executable, "-m", "host.cli", *words]
    given = {**os.environ, **environ}
    return subprocess.run(
        full, cwd=folder, env=given, capture_output=True, text=True, timeout=60, check=False
    )


def check_notes(site: Served) -> None:
    token = site.sign_up()
    assert site.ask("GET", "/api/notes")[0] == 401
    status, made = site.ask("POST", "/api/notes", {"text": "hello"}, token)
    assert (status, made["text"]) == (201, "hello")
    assert site.ask("GET", "/api/notes", token=token)[1]["items"] == [made]


def test_run_needs_no_configuration(folder: Path) -> None:
    with served(folder, "run") as site:
        check_notes(site)
        assert site.ask("GET", "/health") == (200, "OK")
        assert f"http://127.0.0.1:{site.port}/docs" in site.said()
    secret = folder / "var" / "secret"
    assert (secret.stat().st_mode & 0o777, len(secret.read_text())) == (0o600, 64)


def test_taken_port_is_one_sentence(folder: Path) -> None:
    with served(folder, "run") as site:
        second = command(folder, "run", "--port", str(site.port))
    assert second.returncode == 1
    assert second.stderr.strip().endswith("address already in use; choose another --port")
    assert len(second.stderr.strip().splitlines()) == 1


def test_broken_declaration_stops_the_boot(folder: Path) -> None:
    (folder / "resources.yaml").write_text(
        DECLARATIONS.replace("string", "strng").replace("owner\n", "ownr\n")
    )
    failed = command(folder, "run", "--port", str(free_port()))
    assert failed.returncode == 1
    assert 'unknown type "strng"; did you mean "string"?' in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2


@pytest.mark.parametrize("server", ["gunicorn", "granian"])
def test_servers_serve_what_was_migrated(folder: Path, server: str) -> None:
    (folder / "var").mkdir()
    assert command(folder, "db", "make", **SECRET).returncode == 0
    assert command(folder, "db", "upgrade", **SECRET).returncode == 0
    with served(folder, "serve", "--workers", "2", "--server", server, environ=SECRET) as site:
        check_notes(site)
        assert site.ask("GET", "/health/ready")[0] == 200


def test_server_refuses_to_start_without_secret(folder: Path) -> None:
    refused = command(folder, "serve", HOSTWRIGHT_SECRET="")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: set HOSTWRIGHT_SECRET to at least 32 random characters")


def test_unreachable_database_is_one_sentence(folder: Path) -> None:
    url = f"postgresql://nobody:hidden@127.0.0.1:{free_port()}/none"
    refused = command(folder, "serve", HOSTWRIGHT_DATABASE_URL=url, **SECRET)
    assert refused.returncode == 1
    assert "cannot be reached" in refused.stderr
    assert "hidden" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_stopping_lets_requests_finish(folder: Path) -> None:
    answers: list[tuple[int, object]] = []
    with served(folder, "run") as site:
        asking = threading.Thread(target=lambda: answers.append(site.ask("GET", "/api/slow/wait")))
        asking.start()
        time.sleep(0.5)
        site.process.terminate()
        asking.join(timeout=20)
        assert site.process.wait(timeout=20) == 0
    assert answers == [(200, {"done": True})]


def test_reloading_keeps_the_last_good_version(folder: Path) -> None:
    declarations = folder / "resources.yaml"
    with served(folder, "run", "--dev") as site:
        site.wait_for("Stop with Ctrl+C.")
        token = site.sign_up()
        declarations.write_text(DECLARATIONS.replace("string", "strng"))
        site.wait_for("the last good version goes on serving")
        assert 'did you mean "string"?' in site.said()
        assert site.ask("POST", "/api/notes", {"text": "still"}, token)[0] == 201
        declarations.write_text(DECLARATIONS.replace("{text:", "{size: integer, text:"))
        site.wait_for("Stop with Ctrl+C.", times=2)
        time.sleep(1)  # the old process goes on until the new one listens
        status, made = site.ask("POST", "/api/notes", {"text": "sized", "size": 3}, token)
        assert (status, made["size"]) == (201, 3)
