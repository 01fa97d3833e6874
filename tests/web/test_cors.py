"""What pages of other origins may do: nothing by default, and with settings what the operator names."""

from __future__ import annotations

import pytest

from host.declaration.nodes import Credential
from host.web.http import Answer
from tests.web.rim import Rim, header, operation, settings_of

APP = "https://app.example.org"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST"}


def allowed(answer: Answer) -> dict[str, str]:
    """The headers of an answer that speak of other origins."""
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


def test_nothing_is_open_by_default() -> None:
    rim = Rim(settings_of())
    for answer in (rim.ask(headers={"Origin": APP}), rim.ask("OPTIONS", headers=PREFLIGHT)):
        assert not allowed(answer)
        assert header(answer, "Vary") is None


def test_named_origin_may_read() -> None:
    answer = Rim(settings_of(CORS_ORIGINS=APP)).ask(headers={"Origin": APP})
    said = allowed(answer)
    assert said["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in said
    exposed = said["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Link", "Location", "RateLimit", "Retry-After", "X-Request-Id", "X-Total-Count"} <= {
        *exposed
    }
    assert header(answer, "Vary") == "Origin"
    assert header(answer, "Cross-Origin-Resource-Policy") == "cross-origin"


def test_errors_can_be_read_too() -> None:
    answer = Rim(settings_of(CORS_ORIGINS=APP, ADDRESS_RATE="1/minute")).ask(
        path="/nowhere", headers={"Origin": APP}
    )
    assert (answer.status, allowed(answer)["Access-Control-Allow-Origin"]) == (404, APP)


@pytest.mark.parametrize(
    "origin",
    ["null", "https://app.example.org.evil.example", "https://evil.example", "http://app.example.org", "HTTPS://APP.EXAMPLE.ORG",
     "https://app.example.org:444", "https://sub.app.example.org", f"{APP}/", f"{APP}, https://evil.example", "*", ""],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_origins_may_nothing(origin: str, method: str) -> None:
    rim = Rim(settings_of(CORS_ORIGINS=f"{APP}, https://other.example", CORS_CREDENTIALS="on"))
    answer = rim.ask(method, headers={**PREFLIGHT, "Origin": origin})
    assert not allowed(answer)
    assert header(answer, "Vary") == "Origin"


def test_preflight_says_what_the_path_can() -> None:
    rim = Rim(
        settings_of(CORS_ORIGINS=APP), operation(), operation("POST"), operation("DELETE", "/here/{id}")
    )
    answer = rim.ask("OPTIONS", headers=PREFLIGHT)
    said = allowed(answer)
    assert answer.status == 204
    assert said["Access-Control-Allow-Methods"] == "GET, POST, HEAD"
    assert said["Access-Control-Max-Age"] == "600"
    assert {"Authorization", "Content-Type", "If-Match", "Idempotency-Key"} <= {
        *said["Access-Control-Allow-Headers"].split(", ")
    }
    item = allowed(rim.ask("OPTIONS", "/here/1", headers=PREFLIGHT))
    assert item["Access-Control-Allow-Methods"] == "DELETE"
    assert (
        allowed(rim.ask("OPTIONS", "/openapi.json", headers=PREFLIGHT))["Access-Control-Allow-Methods"]
        == "GET, HEAD"
    )


def test_headers_of_declared_credentials_are_accepted() -> None:
    declared = operation("POST", credential=Credential(cookie=True, csrf_header="X-CSRFToken"))
    said = allowed(Rim(settings_of(CORS_ORIGINS=APP), declared).ask("OPTIONS", headers=PREFLIGHT))
    assert {"X-CSRF-Token", "X-CSRFToken"} <= {*said["Access-Control-Allow-Headers"].split(", ")}


def test_plain_options_is_no_preflight() -> None:
    answer = Rim(settings_of(CORS_ORIGINS=APP)).ask("OPTIONS", headers={"Origin": APP})
    assert (answer.status, header(answer, "Allow")) == (204, "GET, HEAD, OPTIONS, POST")
    assert "Access-Control-Allow-Methods" not in allowed(answer)


def test_cookies_are_a_setting() -> None:
    rim = Rim(settings_of(CORS_ORIGINS=APP, CORS_CREDENTIALS="on"))
    for method in ("GET", "OPTIONS"):
        said = allowed(rim.ask(method, headers=PREFLIGHT))
        assert said["Access-Control-Allow-Credentials"] == "true"
        assert said["Access-Control-Allow-Origin"] == APP


def test_star_opens_without_cookies() -> None:
    answer = Rim(settings_of(CORS_ORIGINS="*")).ask(headers={"Origin": "https://any.example"})
    assert allowed(answer)["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in allowed(answer)
    assert not allowed(Rim(settings_of(CORS_ORIGINS="*")).ask(headers={"Origin": "null"}))
