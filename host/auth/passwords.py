"""Passwords: hashed, verified in any known format, the same work for accounts that do not exist, never too many at once.

`accounts` calls it. Formats are those of `hashes`, what may be chosen is in `password_rules`.
"""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore

from host.auth.hashes import FORMATS, HashFormat, HashName, converted, format_of, hasher
from host.auth.password_rules import LONGEST, SHORTEST, check_password
from host.compiler.registry import Registry
from host.errors import Invalid, Unavailable
from host.service.identities import HELD

__all__ = ["LONGEST", "SHORTEST", "Passwords", "check_password"]

LONGEST_WAIT = 10.0


class Passwords:
    """Makes and verifies hashes; `parallel` bounds memory and processors, by default one for each processor.

    `formats` are those that new hashes may be in, the preferred one first: a user table that another system reads, too,
    takes only what that system knows. `shortest` and `site` (its name, which no password may be) are the operator's.
    """

    def __init__(
        self,
        parallel: int | None = None,
        *,
        formats: Sequence[HashName] = ("argon2id",),
        shortest: int = SHORTEST,
        site: str = "",
    ) -> None:
        self._slots = BoundedSemaphore(parallel or os.cpu_count() or 1)
        self._formats = tuple(FORMATS[name] for name in formats)
        self._shortest, self._site = shortest, site

    @classmethod
    def of(cls, registry: Registry, shortest: int = SHORTEST) -> Passwords:
        """The passwords of a site: in the formats that its user table takes, where another system reads that."""
        identity = registry.identity.declared.identity if registry.identity is not None else None
        formats: Sequence[HashName] = identity.hashes if identity is not None else ("argon2id",)
        return cls(formats=formats, shortest=shortest, site=registry.declaration.site.name)

    def check(self, password: str, *about: str | None, at: str = "/password") -> None:
        """Raise Invalid for a password that nobody may choose; `about` are names of whom it is for."""
        words = (self._site, *(text.partition("@")[0] for text in about if text))
        check_password(password, self._shortest, words, at=at)
        longest = self._preferred.longest
        if longest is not None and len(password.encode()) > longest:
            raise Invalid.at(at, "length", f"a password has at most {longest} bytes here")

    def hash(self, password: str) -> str:
        """The hash to store."""
        with self._slot():
            return self._preferred.make(_spelled(password, self._preferred))

    def verify(self, password: str, stored: str | None, stand_in: str | None = None) -> bool:
        """Whether the password is the stored one. Without a stored one the answer is no, after the same work.

        `stand_in` is a hash of somebody else: its work is done where there is none of one's own.
        """
        real = _verifiable(stored)
        asked = (
            real or _verifiable(stand_in) or self._nobody
        )  # made by whoever asks first, so that it tells nothing
        found = format_of(asked)
        assert found is not None  # only such texts are verifiable
        with self._slot():
            spellings = dict.fromkeys((_spelled(password, found), _encodable(password)))
            is_right = any([found.verify(spelling, asked) for spelling in spellings])
        return is_right and real is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash should be made anew: it is in another format than the preferred one, or weaker.

        In a format that another system chose it stays as that system made it, or the two would never agree.
        """
        found = format_of(stored)
        if found is not self._preferred:
            return True
        return found.name == "argon2id" and hasher().check_needs_rehash(stored)

    def storable(self, stored: str | None) -> str | None:
        """A hash as it may be stored: as it is, put into other words, or `HELD` where it takes the password to do so."""
        if stored is None or format_of(stored) in self._formats:
            return stored
        others = (converted(stored, known.name) for known in self._formats)
        return next((other for other in others if other is not None), HELD)

    @property
    def _preferred(self) -> HashFormat:
        return self._formats[0]

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has."""
        return self._preferred.make(secrets.token_hex(32))

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


def _verifiable(stored: str | None) -> str | None:
    """The text, if verifying it does the work that its format stands for."""
    if not stored or (found := format_of(stored)) is None or not found.is_bearable(stored):
        return None
    return stored


def _spelled(password: str, known: HashFormat) -> str:
    """The password as the format takes it. In the host's own, one spelling for what looks the same, as NIST SP 800-63B
    asks: keyboards differ in how they compose letters. Other systems take what was typed."""
    text = _encodable(password)
    return unicodedata.normalize("NFKC", text) if known.name == "argon2id" else text


def _encodable(password: str) -> str:
    return password.encode(errors="replace").decode()
