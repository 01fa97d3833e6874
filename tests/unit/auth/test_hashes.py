"""Formats of stored passwords: each side verifies what the other made, and no stored text is a way to hang the host."""

import time

import bcrypt
import pytest
from django.conf import settings
from django.contrib.auth import hashers

from host.auth import hashes
from host.auth.hashes import FORMATS, converted, format_of
from host.auth.passwords import HELD, Passwords

PASSWORD = "an unlikely frase 71"
DJANGO = {
    "pbkdf2_sha256": hashers.PBKDF2PasswordHasher,
    "argon2": hashers.Argon2PasswordHasher,
    "bcrypt_sha256": hashers.BCryptSHA256PasswordHasher,
    "bcrypt": hashers.BCryptPasswordHasher,
}
if not settings.configured:
    settings.configure()


def made_by_django(name: str, password: str = PASSWORD) -> str:
    hasher = DJANGO[name]()
    if name.startswith("bcrypt"):
        hasher.rounds = 4
    return hasher.encode(password, hasher.salt())


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 1000)
    monkeypatch.setattr(hashes, "BCRYPT_COST", 4)


@pytest.mark.parametrize("name", DJANGO)
def test_hashes_of_django_verify_here(name: str) -> None:
    stored = made_by_django(name)
    assert Passwords().verify(PASSWORD, stored)
    assert not Passwords().verify(PASSWORD + "x", stored)
    assert Passwords().is_outdated(stored)


@pytest.mark.parametrize("name", DJANGO)
def test_hashes_made_here_verify_there(name: str) -> None:
    stored = Passwords(formats=[name]).hash(PASSWORD)  # type: ignore[list-item]
    assert DJANGO[name]().verify(PASSWORD, stored)
    assert not DJANGO[name]().verify(PASSWORD + "x", stored)
    assert not Passwords(formats=[name]).is_outdated(stored)  # type: ignore[list-item]


def test_composed_letters_reach_django_unchanged() -> None:
    typed = "re\u0301sume\u0301 of an evening"
    stored = Passwords(formats=["pbkdf2_sha256"]).hash(typed)
    assert hashers.PBKDF2PasswordHasher().verify(typed, stored)
    assert Passwords().verify(typed, stored)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_verifies_its_own(name: str) -> None:
    passwords = Passwords(formats=[name])  # type: ignore[list-item]
    stored = passwords.hash(PASSWORD)
    found = format_of(stored)
    assert found is not None and found.name == name
    assert passwords.verify(PASSWORD, stored)
    assert not passwords.verify("another frase 71", stored)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_bcrypt_of_any_age_verifies(prefix: str) -> None:
    stored = prefix + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()[4:]
    assert Passwords().verify(PASSWORD, stored)
    assert not Passwords().verify("another frase 71", stored)


def test_long_password_of_old_bcrypt_verifies() -> None:
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert Passwords().verify("x" * 90, stored)
    assert not Passwords().verify("x" * 71, stored)


def test_password_of_many_bytes_keeps_them() -> None:
    passwords = Passwords(formats=["bcrypt_sha256"])
    stored = passwords.hash("x" * 200)
    assert passwords.verify("x" * 200, stored)
    assert not passwords.verify("x" * 199 + "y", stored)


ABSURD = [
    f"pbkdf2_sha256${10**12}$salt${'A' * 43}=",
    f"pbkdf2_sha256${20_000_000}$salt${'A' * 43}=",
    "$2b$31$" + "a" * 53,
    "bcrypt_sha256$$2b$31$" + "a" * 53,
    "$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b0dWRWJTmaaJObG",
    "argon2$argon2id$v=19$m=65536,t=100000000,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b0dWRWJTmaaJObG",
    "pbkdf2_sha256$" + "9" * 5000,
]


@pytest.mark.parametrize("stored", ABSURD)
def test_absurd_parameters_never_hang(stored: str) -> None:
    started = time.monotonic()
    assert not Passwords().verify(PASSWORD, stored)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "stored", ["", "!", "!abc", HELD, "sha1$salt$abc", "pbkdf2_sha256$x$y", "$2b$", "\x00"]
)
def test_unusable_texts_fit_no_password(stored: str) -> None:
    assert not Passwords().verify(PASSWORD, stored)
    assert not Passwords().verify(stored, stored)


def cost(passwords: Passwords, stored: str | None, stand_in: str | None = None) -> float:
    def once() -> float:
        started = time.thread_time()
        passwords.verify("wrong frase 71", stored, stand_in)
        return time.thread_time() - started

    once()
    return min(once() for _ in range(5))


@pytest.mark.parametrize("name", ["argon2id", "pbkdf2_sha256", "bcrypt_sha256"])
def test_nobody_costs_what_the_site_costs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 40_000)
    monkeypatch.setattr(hashes, "BCRYPT_COST", 8)
    passwords = Passwords(formats=[name])  # type: ignore[list-item]
    stored = passwords.hash(PASSWORD)
    for nothing in (None, "!unusable", ABSURD[0]):
        assert 0.5 < cost(passwords, nothing) / cost(passwords, stored) < 2


def test_stand_in_costs_what_it_stands_for() -> None:
    monkey = hashers.PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=200_000)
    passwords = Passwords()
    assert 0.5 < cost(passwords, None, monkey) / cost(passwords, monkey) < 2
    assert not passwords.verify(PASSWORD, None, monkey)


def test_hashes_are_told_in_other_words() -> None:
    native = Passwords().hash(PASSWORD)
    assert converted(native, "argon2") == "argon2" + native
    assert converted("argon2" + native, "argon2id") == native
    assert converted(native, "pbkdf2_sha256") is None
    assert converted("!", "argon2") is None
    assert hashers.Argon2PasswordHasher().verify(PASSWORD, converted(native, "argon2"))


def test_only_listed_formats_are_stored() -> None:
    native = Passwords().hash(PASSWORD)
    assert Passwords(formats=["pbkdf2_sha256"]).storable(native) == HELD
    assert Passwords(formats=["pbkdf2_sha256", "argon2"]).storable(native) == "argon2" + native
    assert Passwords().storable(native) == native
    assert Passwords().storable(None) is None
