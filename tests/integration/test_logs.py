"""What a real server logs of a whole session of its users: every request, and none of their secrets."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import Served, served

DECLARATIONS = """grammar: 1
site: {name: Test, plugins: [broken]}
resources:
  note:
    mixins: [owned]
    fields: {text: {type: string, required: true}, pin: {type: string, secret: true}}
    access: owner
"""
BROKEN = """grammar: 1
endpoints:
  fail: {path: /api/broken/fail, call: actions.fail, access: authenticated, in: {type: object, fields: {password: string}}}
"""
CODE = """def fail(ctx, data):
    raise RuntimeError(f"this goes wrong with {data}\\nERROR a forged line")
"""
PASSWORD, OTHER, PIN = "correct horse battery", "another horse battery", "pin-7421-secret"
SECRET = {"HOSTWRIGHT_SECRET": "of-the-tests-" * 4}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plugin = tmp_path / "plugins" / "broken"
    plugin.mkdir(parents=True)
    (tmp_path / "var").mkdir()
    (tmp_path / "resources.yaml").write_text(DECLARATIONS)
    (plugin / "plugin.yaml").write_text("name: broken\nversion: 0.1.0\n")
    (plugin / "resources.yaml").write_text(BROKEN)
    (plugin / "__init__.py").write_text('"""Broken."""\n')
    (plugin / "actions.py").write_text(CODE)
    return tmp_path


def session_of_a_user(site: Served) -> set[str]:
    """Everything that somebody does, with every secret that occurs in it."""
    body = {"email": "ann@example.org", "password": PASSWORD}
    tokens = [site.ask("POST", "/api/auth/register", body)[1]["token"]]
    tokens.append(site.ask("POST", "/api/auth/login", body)[1]["token"])
    site.ask("POST", "/api/auth/login", {**body, "password": OTHER})
    site.ask("GET", "/api/auth/me", token=tokens[0])
    site.ask("GET", "/api/notes", token=tokens[0][:-4] + "AAAA")
    made = site.ask("POST", "/api/notes", {"text": "hello", "pin": PIN}, tokens[0])[1]
    site.ask("GET", f"/api/notes/{made['id']}?token={tokens[0]}", token=tokens[0])
    site.ask("GET", f"/nowhere/{tokens[0]}?password={PASSWORD.replace(' ', '+')}", token=tokens[0])
    site.ask("POST", "/api/broken/fail", {"password": OTHER.replace(" ", "-")}, tokens[0])
    key = site.ask("POST", "/api/auth/keys", {"name": "k", "scopes": ["site.note:list"]}, tokens[0])[1].get(
        "key"
    )
    if key is not None:
        site.ask("GET", "/api/notes", token=key)
        site.ask("GET", "/api/notes", token=key + "x")
    site.ask(
        "POST",
        "/api/auth/change-password",
        {"old_password": PASSWORD, "current_password": PASSWORD, "new_password": OTHER, "password": OTHER},
        tokens[0],
    )
    site.ask("POST", "/api/auth/logout", {}, tokens[1])
    return {
        PASSWORD,
        OTHER,
        OTHER.replace(" ", "-"),
        PASSWORD.replace(" ", "+"),
        PIN,
        *tokens,
        *([key] if key else []),
    }


def traced(site: Served) -> None:
    headers = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "X-Request-Id": "mine-1"}
    urllib.request.urlopen(
        urllib.request.Request(f"{site.address}/health", headers=headers), timeout=10
    ).close()


def documents(said: str) -> list[dict[str, Any]]:
    """The lines that are JSON; a server says some words of its own before it serves."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("server", ["gunicorn", "granian"])
def test_server_logs_every_request_and_no_secret(folder: Path, server: str) -> None:
    environ = {
        **SECRET,
        "HOSTWRIGHT_DATABASE_URL": f"sqlite:///{folder / 'var' / 'hostwright.db'}",
        "HOSTWRIGHT_LOG_LEVEL": "debug",
    }
    with served(folder, "run", environ={"HOSTWRIGHT_DATABASE_URL": environ["HOSTWRIGHT_DATABASE_URL"]}):
        pass  # makes the tables
    with served(folder, "serve", "--workers", "1", "--server", server, environ=environ) as site:
        secrets = session_of_a_user(site)
        traced(site)
    said = site.said()
    assert not [secret for secret in secrets if secret in said]
    assert not re.search(r"eyJ[\w-]+\.", said)
    found = documents(said)
    requests = [line for line in found if line["logger"] == "hostwright.access"]
    by_operation = {line["operation"]: line for line in requests}
    assert (
        by_operation["createSiteNote"].items()
        >= {"method": "POST", "route": "/api/notes", "status": 201}.items()
    )
    assert by_operation["createSiteNote"]["actor"] is not None
    assert all(
        line["duration_ms"] > 0 and line["address"] == "127.0.0.1" and line["request_id"] for line in requests
    )
    assert [line["trace_id"] for line in requests if line["request_id"] == "mine-1"] == ["a" * 32]
    (failure,) = [line for line in found if line["level"] == "error"]
    assert "RuntimeError" in failure["stack"] and failure["request_id"]
    assert not [line for line in said.splitlines() if line.startswith("ERROR")]


def test_text_form_is_for_people(folder: Path) -> None:
    with served(folder, "run", environ={"HOSTWRIGHT_LOG_LEVEL": "info"}) as site:
        secrets = session_of_a_user(site)
    said = site.said()
    assert not [secret for secret in secrets if secret in said]
    assert re.search(r"INFO +hostwright.access: POST /api/notes 201 duration_ms=", said)
    assert "\nERROR a forged" not in said


def test_level_switches_requests_off(folder: Path) -> None:
    with served(folder, "run") as site:
        site.sign_up()
    assert "hostwright.access" not in site.said()
