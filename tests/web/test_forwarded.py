"""Who really asks: what is believed of the headers about other hops."""

from __future__ import annotations

import orjson
import pytest

from tests.web.rim import Rim, settings_of

PROXY = "10.0.0.1"


def seen(headers: dict[str, str], *, remote: str = PROXY, **settings: str) -> tuple[str, str]:
    """The address and scheme that an operation sees."""
    rim = Rim(settings_of(**{"PROXIES": "10.0.0.0/8, fd00::/8", "HTTPS": "off", **settings}))
    said = orjson.loads(rim.ask(headers=headers, remote=remote).body)  # type: ignore[arg-type]  # a whole body
    return said["from"], said["scheme"]


def test_nobody_is_believed_by_default() -> None:
    rim = Rim(settings_of(HTTPS="off"))
    answer = rim.ask(headers={"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}, remote=PROXY)
    assert orjson.loads(answer.body)["from"] == PROXY  # type: ignore[arg-type]  # a whole body


def test_stranger_is_not_believed() -> None:
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert seen(headers, remote="198.51.100.7") == ("198.51.100.7", "http")


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1", "192.0.2.1"),  # the first was written by the client
        ("203.0.113.5, 192.0.2.1, 10.0.0.2", "192.0.2.1"),  # through two proxies
        ("10.0.0.9, 192.0.2.1", "192.0.2.1"),  # the client says that it is a proxy
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, unknown", PROXY),
        ("192.0.2.1, 999.1.1.1", PROXY),
        ("10.0.0.3", "10.0.0.3"),
        ("", PROXY),
        (", ".join(["10.0.0.2"] * 50), "10.0.0.2"),
    ],
)
def test_last_strange_hop_is_the_caller(hops: str, address: str) -> None:
    assert seen({"X-Forwarded-For": hops})[0] == address


@pytest.mark.parametrize(
    ("schemes", "scheme"),
    [("https", "https"), ("http, https", "https"), ("https, http", "http"), ("gopher", "http")],
)
def test_nearest_proxy_says_the_scheme(schemes: str, scheme: str) -> None:
    assert seen({"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": schemes})[1] == scheme
    assert seen({"X-Forwarded-Proto": schemes})[1] == scheme


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=192.0.2.1;proto=https", ("192.0.2.1", "https")),
        ('for="[2001:db8::1]:4711";proto=https;by=10.0.0.1', ("2001:db8::1", "https")),
        ("for=203.0.113.5;proto=https, For=192.0.2.1;Proto=http", ("192.0.2.1", "http")),
        ("for=192.0.2.1;proto=https, for=10.0.0.2;proto=http", ("192.0.2.1", "https")),
        ("for=_hidden, for=unknown;proto=https", (PROXY, "https")),
        ("nonsense", (PROXY, "http")),
    ],
)
def test_standard_header_is_read_when_chosen(value: str, expected: tuple[str, str]) -> None:
    assert seen({"Forwarded": value, "X-Forwarded-For": "203.0.113.9"}, PROXY_HEADER="forwarded") == expected


def test_header_that_was_not_chosen_is_ignored() -> None:
    assert seen({"Forwarded": "for=203.0.113.5", "X-Forwarded-For": "192.0.2.1"})[0] == "192.0.2.1"


def test_socket_without_addresses_is_this_machine() -> None:
    assert seen({"X-Forwarded-For": "192.0.2.1"}, remote="", PROXIES="127.0.0.1")[0] == "192.0.2.1"
