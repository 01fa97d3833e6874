"""Who may ask at all: over HTTPS, and for a name of the site."""

from __future__ import annotations

import orjson
import pytest

from host.web.http import Answer
from tests.web.rim import Rim, header, settings_of

OUTSIDE = {"remote": "192.0.2.1", "host": "api.example.org"}


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, orjson.loads(answer.body)["code"]  # type: ignore[arg-type]  # a whole body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_sent_to_https(method: str) -> None:
    answer = Rim(settings_of()).ask(method, "/here/ü", query="a=1&b=%0d%0aX", **OUTSIDE)
    assert answer.status == 308
    assert header(answer, "Location") == "https://api.example.org/here/%C3%BC?a=1&b=%0d%0aX"
    assert header(answer, "Cache-Control") == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_everything_else_is_refused(method: str) -> None:
    assert code(Rim(settings_of()).ask(method, **OUTSIDE)) == (403, "https_required")


def test_credentials_do_not_change_the_refusal() -> None:
    answer = Rim(settings_of()).ask("POST", headers={"X-Account": "ann"}, **OUTSIDE)
    assert code(answer) == (403, "https_required")


@pytest.mark.parametrize(
    "host", ["", "a b", "evil.example\r\nX: y", "user@evil.example", "evil.example/x", "a" * 300 + "/"]
)
def test_odd_name_is_never_repeated(host: str) -> None:
    answer = Rim(settings_of()).ask(remote="192.0.2.1", host=host)
    assert code(answer) == (403, "https_required")


def test_path_cannot_break_the_header() -> None:
    answer = Rim(settings_of()).ask(path="/a\r\nX: y//b", **OUTSIDE)
    assert header(answer, "Location") == "https://api.example.org/a%0D%0AX:%20y//b"


def test_public_url_is_where_one_is_sent() -> None:
    rim = Rim(settings_of(PUBLIC_URL="https://api.example.org:8443"))
    assert header(rim.ask(**OUTSIDE), "Location") == "https://api.example.org:8443/here"


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_may_speak_plainly(remote: str) -> None:
    assert Rim(settings_of()).ask("POST", remote=remote).status == 200


def test_health_is_asked_plainly() -> None:
    assert Rim(settings_of()).ask(path="/health", remote="10.0.0.9", host="10.0.0.7:8000").status == 200


def test_proxy_answers_for_the_scheme() -> None:
    rim = Rim(settings_of(PROXIES="10.0.0.1"))
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert rim.ask("POST", headers=forwarded, remote="10.0.0.1").status == 200
    assert (
        rim.ask("POST", headers={**forwarded, "X-Forwarded-Proto": "http"}, remote="10.0.0.1").status == 403
    )
    assert rim.ask("POST", headers=forwarded, remote="192.0.2.66").status == 403


def test_caller_cannot_claim_to_be_this_machine() -> None:
    rim = Rim(settings_of(PROXIES="10.0.0.1"))
    claims = {"X-Forwarded-For": "127.0.0.1, 192.0.2.1", "X-Forwarded-Proto": "http"}
    assert rim.ask("POST", headers=claims, remote="10.0.0.1").status == 403


def test_plain_http_can_be_switched_on() -> None:
    assert Rim(settings_of(HTTPS="off")).ask("POST", **OUTSIDE).status == 200
    assert Rim(settings_of(is_embedded=True)).ask("POST", **OUTSIDE).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.org", 200),
        ("API.example.org:443", 200),
        ("api.example.org.", 200),
        ("a.b.tenants.example.org", 200),
        ("tenants.example.org", 421),
        ("evil.example", 421),
        ("api.example.org.evil.example", 421),
        ("eviltenants.example.org", 421),
        ("localhost", 421),
        ("", 421),
    ],
)
def test_only_names_of_the_site_are_served(host: str, status: int) -> None:
    rim = Rim(settings_of(PUBLIC_URL="https://api.example.org", HOSTS=".tenants.example.org"))
    assert rim.ask(remote="192.0.2.1", host=host, scheme="https").status == status


def test_this_machine_may_use_its_own_names() -> None:
    rim = Rim(settings_of(PUBLIC_URL="https://api.example.org"))
    assert [rim.ask(host=host).status for host in ("localhost:8000", "127.0.0.1", "[::1]:8000")] == [200] * 3
    assert code(rim.ask(host="evil.example")) == (421, "misdirected")
    assert code(rim.ask(host="localhost,evil.example")) == (421, "misdirected")


def test_every_name_is_served_by_default() -> None:
    assert Rim(settings_of()).ask(host="whatever.example").status == 200
