"""What nobody may choose for a password, and what everybody may."""

import time

import pytest

from host.auth.password_rules import LONGEST, SHORTEST, check_password, is_common
from host.auth.passwords import Passwords
from host.errors import Invalid


def code(password: str, *words: str, shortest: int = SHORTEST) -> str | None:
    try:
        check_password(password, shortest, words)
    except Invalid as error:
        assert [item.pointer for item in error.errors] == ["/password"]
        return error.errors[0].code
    return None


WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "password")
GOOD = ["x" * 9, "y" * 64, "x" * LONGEST, "любой текст 🙂", " " * 8, "a\nb\nc\nd\ne"]


@pytest.mark.parametrize("password", GOOD)
def test_any_characters_are_taken(password: str) -> None:
    assert code(password) is None


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "qwertyuiop", WIDE])
def test_common_passwords_are_refused(password: str) -> None:
    assert code(password) == "common"


def test_list_is_long_enough_and_cheap() -> None:
    assert is_common("123456")
    assert not is_common("123456\nqwerty")
    started = time.thread_time()
    for _ in range(100):
        is_common("correct horse battery")
    assert (time.thread_time() - started) / 100 < 0.002


def test_part_of_common_password_is_none() -> None:
    assert is_common("password1")
    assert code("ssword1 p") is None


@pytest.mark.parametrize(
    "password", ["annabella", "AnnaBella1", "anna-bella-99", "99annabella", "annabellaannabella"]
)
def test_own_name_is_refused(password: str) -> None:
    assert code(password, "annabella") == "personal"
    assert code(password, "other") is None


def test_name_inside_longer_password_is_taken() -> None:
    assert code("annabella likes rain", "annabella") is None
    assert code("bob1 and alice", "bob1") is None
    assert code("ann12345x", "ann") is None


def test_length_is_a_setting() -> None:
    assert code("x" * 11 + "y", shortest=12) is None
    assert code("x" * 10 + "y", shortest=12) == "length"
    assert code("x" * (LONGEST + 1)) == "length"


def test_surrogates_are_refused() -> None:
    assert code("lone \ud800 surrogate") == "text"


def test_site_and_names_are_passed_on() -> None:
    passwords = Passwords(shortest=10, site="Acme back office")
    for password, about in (("acmebackoffice1", ()), ("bob.builder1", ("bob.builder@example.org",))):
        with pytest.raises(Invalid) as caught:
            passwords.check(password, *about)
        assert caught.value.errors[0].code == "personal"
    with pytest.raises(Invalid, match="at least 10"):
        passwords.check("xyzzy 123")
    passwords.check("a sound frase", "bob", None)


def test_bytes_beyond_bcrypt_are_refused_there() -> None:
    with pytest.raises(Invalid, match="72 bytes") as caught:
        Passwords(formats=["2b"]).check("é" * 40, at="/new_password")
    assert caught.value.errors[0].pointer == "/new_password"
    Passwords().check("é" * 40)
