"""The headers of every answer: what browsers may do with it, and who may keep it."""

from __future__ import annotations

import pytest

from host.web.headers import NOTHING
from host.web.http import Answer, Request, json_answer
from tests.web.rim import Rim, header, operation, settings_of

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": NOTHING,
    "Cross-Origin-Resource-Policy": "same-origin",
}


def fail(request: Request) -> Answer:
    raise RuntimeError("a defect")


@pytest.mark.parametrize("path", ["/here", "/health", "/nowhere", "/docs", "/defect"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_every_answer_carries_the_headers(path: str, method: str) -> None:
    rim = Rim(settings_of(), operation(), operation(path="/health"), operation(path="/defect", handler=fail))
    answer = rim.ask(method, path)
    assert {name: header(answer, name) for name in EVERYWHERE} == EVERYWHERE


def test_answers_of_operations_are_private() -> None:
    assert header(Rim(settings_of()).ask(), "Cache-Control") == "private, no-cache"


def test_errors_are_kept_nowhere() -> None:
    assert header(Rim(settings_of()).ask(path="/nowhere"), "Cache-Control") == "no-store"


def test_pages_are_alone_in_their_window() -> None:
    answer = Rim(settings_of()).ask(path="/docs")
    assert header(answer, "Cross-Origin-Opener-Policy") == "same-origin"
    assert "camera=()" in (header(answer, "Permissions-Policy") or "")


def test_what_an_operation_says_itself_stands() -> None:
    own = [("Cache-Control", "public, max-age=60"), ("Content-Security-Policy", "sandbox")]
    rim = Rim(settings_of(), operation(handler=lambda request: json_answer({}, headers=list(own))))
    answer = rim.ask()
    assert {name: header(answer, name) for name, _ in own} == dict(own)
    assert header(answer, "X-Frame-Options") == "DENY"


@pytest.mark.parametrize(
    ("settings", "scheme", "promised"),
    [
        ({}, "https", "max-age=31536000"),
        ({}, "http", None),
        ({"HSTS_SECONDS": "60"}, "https", "max-age=60"),
        ({"HSTS_SECONDS": "off"}, "https", None),
        ({"HTTPS": "off"}, "https", None),
    ],
)
def test_https_is_promised_over_https_alone(
    settings: dict[str, str], scheme: str, promised: str | None
) -> None:
    answer = Rim(settings_of(**settings)).ask(scheme=scheme)
    assert header(answer, "Strict-Transport-Security") == promised
