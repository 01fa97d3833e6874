"""Passwords: argon2id, the same work for accounts that do not exist, never too many at once. `accounts` calls it."""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from host.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 8, 1024  # characters; the schema of sign-up says the same
MEMORY_KIB, ROUNDS = 19 * 1024, 2  # OWASP's choice for one lane: about 16 ms
LONGEST_WAIT = 10.0


def check_password(password: str) -> None:
    """Raise Invalid for a password that nobody may choose. There are no rules of composition."""
    if len(password) < SHORTEST:
        raise Invalid.at("/password", "length", f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise Invalid.at("/password", "length", f"a password has at most {LONGEST} characters")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise Invalid.at("/password", "text", "the password is not valid Unicode") from None


class Passwords:
    """Makes and verifies hashes; `parallel` bounds memory and processors, by default one for each processor."""

    def __init__(self, parallel: int | None = None) -> None:
        self._slots = BoundedSemaphore(parallel or os.cpu_count() or 1)

    def hash(self, password: str) -> str:
        """The hash to store."""
        with self._slot():
            return self._hasher.hash(_normal(password))

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one. Without a stored one the answer is no, after the same work."""
        from argon2.exceptions import InvalidHashError, VerificationError

        nobody = self._nobody  # made by whoever asks first, so that it tells nothing
        with self._slot():
            try:
                return self._hasher.verify(stored or nobody, _normal(password)) and stored is not None
            except (InvalidHashError, VerificationError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # loads a C library that most commands do not need

        return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has."""
        return self._hasher.hash(secrets.token_hex(32))

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=LONGEST_WAIT):
            error = Unavailable("too many people are signing in; try again in a moment")
            error.headers = {"Retry-After": "2"}
            raise error
        try:
            yield
        finally:
            self._slots.release()


def _normal(password: str) -> str:
    """One spelling of what looks the same, as NIST SP 800-63B asks: keyboards differ in how they compose letters."""
    return unicodedata.normalize("NFKC", password)
