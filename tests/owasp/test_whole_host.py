"""What the OWASP suite cannot ask of one resource: sign-in, the inventory of a whole site, and who may call other servers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host.testing.hostility import judge
from host.web.documents import build_document

ROOT = Path(__file__).parents[2]
FETCHING = re.compile(
    r"^\s*(?:import|from) (httpx|httpcore|requests|urllib3?\.request|urllib3|http\.client|aiohttp|socket|ftplib)\b",
    re.M,
)
# Who calls other servers, and why no caller chooses which.
CALLERS = {
    "host/outbound.py": "the one fetcher: every address is checked",
    "host/web/deadlines.py": "the socket of the caller, which must not stay open for ever",
    "host/cli/servers.py": "the socket that the server listens on",
    "host/cli/gunicorn_worker.py": "the socket that a worker listens on",
    "host/cli/metrics_server.py": "the socket that metrics are asked for on",
    "host/jobs/processes.py": "the name of the machine",
    "host/jobs/waking.py": "the operator's Redis, or a socket of this machine",
    "host/testing/hostility.py": "listens, to see that nobody calls",
    "plugins/freelance/chat.py": "the address of the model is a setting of the operator",
}
SITE = """
resources:
  note: {mixins: [owned], fields: {text: text}, access: owner}
"""


def test_nobody_fetches_but_who_is_known() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("host", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts and FETCHING.search(path.read_text(encoding="utf-8"))
    }
    assert found - set(CALLERS) == set()


def test_unknown_account_answers_as_a_wrong_password(declare: Callable[..., Any]) -> None:
    site = declare(SITE)
    client = site.client()
    client.post("/api/auth/register", json={"username": "ann", "password": "correct horse battery"})
    answers = [
        client.post("/api/auth/login", json={"username": name, "password": "wrong horse battery"})
        for name in ("ann", "zoe")
    ]
    told = [{k: v for k, v in answer.get_json().items() if k != "trace_id"} for answer in answers]
    assert (answers[0].status_code, told[0]) == (answers[1].status_code, told[1])


def test_privileges_cannot_be_claimed_at_sign_up(declare: Callable[..., Any]) -> None:
    site = declare(SITE)
    claimed = {
        "role": "admin",
        "roles": ["admin"],
        "active": True,
        "email_verified": True,
        "number": 1,
        "is_superuser": True,
    }
    body = {"username": "eve", "email": "eve@example.org", "password": "correct horse battery", **claimed}
    answer = site.client().post("/api/auth/register", json=body)
    judge(answer, 200, 201)
    assert (answer.get_json()["user"]["role"], answer.get_json().get("email_verified", False)) == (
        "user",
        False,
    )


def test_every_path_of_the_site_is_documented(declare: Callable[..., Any]) -> None:
    site = declare(SITE)
    documented = build_document(site.app)["paths"]
    for operation in site.app.operations:
        for path in (operation.path, *operation.paths):
            assert operation.method.lower() in documented[path], f"{operation.method} {path}"


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/host", "/console", "/debug", "/.env", "/static/", "/docs/../host", "/docs/%2e%2e"],
)
def test_what_is_not_documented_is_not_there(declare: Callable[..., Any], path: str) -> None:
    judge(declare(SITE).as_actor(role="admin").get(path), 404, 405)
