"""Rates at the rim: who is counted for what, and what answers say of it."""

from __future__ import annotations

import orjson

from host.limiting import Rate
from tests.web.rim import Limit, Rim, header, operation, settings_of


def test_address_is_refused_over_its_rate() -> None:
    rim = Rim(settings_of(ADDRESS_RATE="2/minute"))
    answers = [rim.ask() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.content_type == "application/problem+json"
    assert orjson.loads(refused.body)["code"] == "too_many_requests"  # type: ignore[arg-type]  # a whole body
    assert 1 <= int(header(refused, "Retry-After") or "") <= 120
    assert rim.ask(remote="192.0.2.9", host="localhost", scheme="https").status == 200


def test_answers_say_where_one_stands() -> None:
    answer = Rim(settings_of(ADDRESS_RATE="2/minute", ACCOUNT_RATE="10/hour")).ask(
        headers={"X-Account": "ann"}
    )
    assert header(answer, "RateLimit-Policy") == '"address";q=2;w=60, "account";q=10;w=3600'
    first, second = (header(answer, "RateLimit") or "").split(", ")
    assert first.startswith('"address";r=1;t=')
    assert second.startswith('"account";r=9;t=')


def test_nothing_is_counted_by_default() -> None:
    answer = Rim(settings_of()).ask()
    assert header(answer, "RateLimit") is None


def test_account_is_counted_wherever_it_asks() -> None:
    rim = Rim(settings_of(ACCOUNT_RATE="2/minute"))
    statuses = [
        rim.ask(headers={"X-Account": name}, remote=f"192.0.2.{number}", scheme="https").status
        for number, name in enumerate(["ann", "ann", "ann", "bob"])
    ]
    assert statuses == [200, 200, 429, 200]


def test_unknown_paths_are_counted_too() -> None:
    rim = Rim(settings_of(ADDRESS_RATE="2/minute"))
    assert [rim.ask(path="/nowhere").status for _ in range(3)] == [404, 404, 429]


def test_health_is_never_refused() -> None:
    rim = Rim(settings_of(ADDRESS_RATE="1/minute"))
    assert {rim.ask(path="/health").status for _ in range(5)} == {200}


def test_network_of_ipv6_counts_as_one() -> None:
    rim = Rim(settings_of(ADDRESS_RATE="2/minute", HTTPS="off"))
    near = [rim.ask(remote=f"2001:db8:0:1::{number}").status for number in range(1, 4)]
    assert near == [200, 200, 429]
    assert rim.ask(remote="2001:db8:0:2::1").status == 200


def test_mapped_address_counts_as_its_own() -> None:
    rim = Rim(settings_of(ADDRESS_RATE="1/minute", HTTPS="off"))
    assert [rim.ask(remote=remote).status for remote in ("192.0.2.1", "::ffff:192.0.2.1")] == [200, 429]


def test_declared_limit_is_of_each_caller() -> None:
    limited = operation(limits=(Limit("notes.list", Rate(1, 60)),))
    rim = Rim(settings_of(), limited, operation("POST"))
    assert [rim.ask(headers={"X-Account": "ann"}).status for _ in range(2)] == [200, 429]
    assert rim.ask(headers={"X-Account": "bob"}).status == 200
    assert [rim.ask().status for _ in range(2)] == [200, 429]
    assert rim.ask("POST", headers={"X-Account": "ann"}).status == 200


def test_account_is_never_taken_for_an_address() -> None:
    limited = operation(limits=(Limit("notes.list", Rate(1, 60)),))
    rim = Rim(settings_of(), limited)
    assert rim.ask(remote="127.0.0.1").status == 200
    assert rim.ask(headers={"X-Account": "127.0.0.1"}).status == 200


def test_embedded_run_counts_no_declared_limits() -> None:
    limited = operation(limits=(Limit("notes.list", Rate(1, 60)),))
    embedded = Rim(settings_of(is_embedded=True), limited)
    assert [embedded.ask().status for _ in range(3)] == [200, 200, 200]
    switched_on = Rim(settings_of(is_embedded=True, LIMITS="on"), limited)
    assert [switched_on.ask().status for _ in range(3)] == [200, 429, 429]


def test_signing_up_is_always_limited() -> None:
    register = operation("POST", details={"identity": "sign_up"})
    rim = Rim(settings_of(is_embedded=True, SIGN_UP_RATE="2/minute"), register)
    assert [rim.ask("POST").status for _ in range(3)] == [200, 200, 429]
    by_default = header(Rim(settings_of(), register).ask("POST"), "RateLimit-Policy")
    assert by_default == '"sign-up";q=120;w=60'
