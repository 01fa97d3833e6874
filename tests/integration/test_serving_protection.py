"""What the rim makes of real requests: both servers hand on addresses, schemes and headers without deciding themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis import running_redis
from tests.support.serving import Served, serving

SITE = """grammar: 1
site: {name: Test}
resources:
  note: {fields: {text: {type: string, required: true}}, access: public}
"""
SERVERS = ["gunicorn", "granian"]


@pytest.fixture(params=SERVERS)
def behind_proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    given = {"HOSTWRIGHT_PROXIES": "127.0.0.1", "HOSTWRIGHT_ADDRESS_RATE": "2/minute"}
    with serving(tmp_path, SITE, given, "--workers", "1", "--server", request.param) as found:
        yield found


@pytest.fixture(scope="module", params=SERVERS)
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("alone")
    given = {
        "HOSTWRIGHT_CORS_ORIGINS": "https://app.example.org",
        "HOSTWRIGHT_PUBLIC_URL": "https://api.example.org",
    }
    with serving(folder, SITE, given, "--workers", "1", "--server", request.param) as found:
        yield found


def ask(
    site: Served, *headers: str, line: str = "GET /api/notes HTTP/1.1", host: str = "localhost"
) -> tuple[int, str]:
    """The status and the head of an answer to a request that is sent as it stands here."""
    lines = [line, f"Host: {host}", *headers, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        found = b""
        while piece := connection.recv(65536):
            found += piece
    head = found.partition(b"\r\n\r\n")[0].decode()
    return int(head.split(" ")[1]), head.lower()


def test_nobody_is_believed_without_a_proxy(alone: Served) -> None:
    status, head = ask(alone, "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "X-Forwarded-For: 192.0.2.1")
    assert status == 200
    assert "strict-transport-security" not in head


def test_proxy_speaks_for_the_caller(behind_proxy: Served) -> None:
    secure = "X-Forwarded-Proto: https"
    status, head = ask(behind_proxy, secure, "X-Forwarded-For: 192.0.2.1")
    assert (status, "strict-transport-security: max-age=31536000" in head) == (200, True)
    assert ask(behind_proxy, "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http")[0] == 308
    # What a client invents stands in front of what the proxy adds, in the same line or in one before.
    assert ask(behind_proxy, secure, "X-Forwarded-For: 203.0.113.1, 192.0.2.1")[0] == 200
    assert ask(behind_proxy, secure, "X-Forwarded-For: 203.0.113.2", "X-Forwarded-For: 192.0.2.1")[0] == 429
    assert ask(behind_proxy, secure, "X-Forwarded-For: 192.0.2.2")[0] == 200


def test_names_of_others_are_refused(alone: Served) -> None:
    assert ask(alone, host="evil.example")[0] == 421
    assert ask(alone, "Host: evil.example", host="api.example.org")[0] in (400, 421)
    assert ask(alone, host="api.example.org")[0] == 200


def test_preflight_is_answered(alone: Served) -> None:
    asked = ("Origin: https://app.example.org", "Access-Control-Request-Method: PATCH")
    status, head = ask(alone, *asked, line="OPTIONS /api/notes/1 HTTP/1.1")
    assert status == 204
    assert "access-control-allow-origin: https://app.example.org" in head
    assert "access-control-allow-methods: delete, get, patch, put, head" in head
    assert "access-control-allow-origin" not in ask(alone, "Origin: https://evil.example")[1]


def test_headers_reach_the_client(alone: Served) -> None:
    for path in ("/api/notes", "/api/nothing", "/docs", "/docs/swagger-ui.css", "/openapi.json"):
        head = ask(alone, line=f"GET {path} HTTP/1.1")[1]
        for wanted in (
            "nosniff",
            "x-frame-options: deny",
            "frame-ancestors 'none'",
            "referrer-policy: no-referrer",
        ):
            assert wanted in head, path
        assert head.count("content-security-policy:") == 1
        assert head.count("cache-control:") == 1


@pytest.mark.parametrize("size", [70_000, 200_000])
def test_huge_heads_are_refused(alone: Served, size: int) -> None:
    assert ask(alone, f"X-Large: {'a' * size}")[0] in (400, 431)


def test_processes_count_together(tmp_path: Path) -> None:
    with running_redis() as redis:
        given = {"HOSTWRIGHT_REDIS_URL": redis.url, "HOSTWRIGHT_ADDRESS_RATE": "20/minute"}
        with serving(tmp_path, SITE, given, "--workers", "3") as site:
            statuses = [ask(site)[0] for _ in range(30)]
            assert (statuses.count(200), statuses.count(429)) == (20, 10)
            redis.stop()
            assert ask(site)[0] == 200
            assert site.said().count("Redis cannot be used") <= 3
