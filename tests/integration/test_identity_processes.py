"""Two servers of one site: failed sign-ins count together, and a revoked key is refused by both within five seconds."""

import time
from collections.abc import Iterator

import pytest

from tests.support.serving import Served, served

WRONG = {"email": "ann@example.org", "password": "not the password"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    root, beside = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("other")
    (root / "resources.yaml").write_text(
        "grammar: 1\nsite: {name: Test}\nresources:\n  note: {fields: {text: string}, access: {every: authenticated}}\n"
    )
    with served(root, "run") as one, served(beside, "run", "--root", str(root)) as two:
        yield one, two


def test_processes_count_failures_together(servers: tuple[Served, Served]) -> None:
    servers[0].sign_up()
    statuses = [servers[at % 2].ask("POST", "/api/auth/login", WRONG)[0] for at in range(14)]
    assert statuses == [401] * 11 + [429] * 3


def test_revoked_key_ends_in_every_process(servers: tuple[Served, Served]) -> None:
    one, two = servers
    token = one.sign_up("bob")
    body = {"name": "reader", "scopes": ["site.note:list"]}
    status, key = one.ask("POST", "/api/host/keys", body, token)
    assert status == 201
    assert two.ask("GET", "/api/notes", token=key["key"])[0] == 200
    assert one.ask("DELETE", f"/api/host/keys/{key['id']}", token=token)[0] == 204
    revoked = time.monotonic()
    while two.ask("GET", "/api/notes", token=key["key"])[0] == 200:
        assert time.monotonic() - revoked < 5.5  # and what the request itself takes
        time.sleep(0.1)
    assert one.ask("GET", "/api/notes", token=key["key"])[0] == 401
