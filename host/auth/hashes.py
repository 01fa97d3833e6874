"""Formats of stored passwords: the host's argon2id, bcrypt, and those of Django. Each makes and verifies its own.

A stored text names its format by how it begins; parameters so large that verifying would block a processor for seconds
make it a text that no password fits. `passwords` calls this, inside its slots; nothing here is patient or fair.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from argon2 import PasswordHasher

HashName = Literal["argon2id", "2b", "pbkdf2_sha256", "argon2", "bcrypt_sha256", "bcrypt"]
MEMORY_KIB, ROUNDS = 19 * 1024, 2  # OWASP's choice for one lane: about 16 ms
PBKDF2_ROUNDS = 1_000_000  # Django's own at the time of writing
BCRYPT_COST = 12
BCRYPT_BYTES = 72  # what bcrypt sees of a password
LONGEST_HASH = 512
MOST_PBKDF2_ROUNDS, MOST_BCRYPT_COST = 10_000_000, 15
MOST_MEMORY_KIB, MOST_WORK = 256 * 1024, 1024 * 1024  # of argon2; the work is memory times rounds
_SALT: Final = string.ascii_letters + string.digits
_PBKDF2 = re.compile(r"pbkdf2_sha256\$([1-9][0-9]{0,7})\$([^$]{1,128})\$([A-Za-z0-9+/]{43}=)")
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True)
class HashFormat:
    """One format. `verify` takes texts that `is_bearable` says are whole and of bearable cost, and no others.

    `longest` is the number of bytes beyond which it would not see the whole password.
    """

    name: HashName
    prefix: str
    make: Callable[[str], str]
    verify: Callable[[str, str], bool]
    is_bearable: Callable[[str], bool]
    longest: int | None = None


def format_of(stored: str) -> HashFormat | None:
    """The format that a stored text is written in."""
    if len(stored) > LONGEST_HASH:
        return None
    return next((known for known in FORMATS.values() if stored.startswith(_PREFIXES[known.name])), None)


def converted(stored: str, name: HashName) -> str | None:
    """The same hash as another format writes it, which needs no password; None where they differ in more than words."""
    found = format_of(stored)
    if found is None or _WRAPPED.get(found.name, found.name) != _WRAPPED.get(name, name):
        return None
    inner = stored.removeprefix(found.prefix) if found.name in _WRAPPED else stored
    return FORMATS[name].prefix + inner if name in _WRAPPED else inner


# --- argon2 -----------------------------------------------------------------------------------------------------------


@cache
def hasher() -> PasswordHasher:
    """The library's hasher with the host's parameters; it keeps no state."""
    from argon2 import PasswordHasher  # loads a C library that most commands do not need

    return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)


def _verify_argon2(password: str, stored: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return hasher().verify(stored, password)
    except (InvalidHashError, VerificationError):
        return False


def _is_bearable_argon2(stored: str) -> bool:
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHashError

    try:
        found = extract_parameters(stored)
    except (InvalidHashError, ValueError):
        return False
    return found.memory_cost <= MOST_MEMORY_KIB and found.memory_cost * found.time_cost <= MOST_WORK


# --- bcrypt -----------------------------------------------------------------------------------------------------------


def _make_bcrypt(password: str) -> str:
    import bcrypt  # a C library, as above

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()


def _verify_bcrypt(password: str, stored: str) -> bool:
    """What lies beyond 72 bytes never counted where such a hash was made, so it does not count here."""
    import bcrypt

    try:
        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], stored.encode())
    except ValueError:  # a salt that is none
        return False


def _is_bearable_bcrypt(stored: str) -> bool:
    match = _BCRYPT.fullmatch(stored)
    return match is not None and 4 <= int(match[1]) <= MOST_BCRYPT_COST


def _hex_digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


# --- pbkdf2 -----------------------------------------------------------------------------------------------------------


def _make_pbkdf2(password: str) -> str:
    salt = "".join(secrets.choice(_SALT) for _ in range(22))
    return f"pbkdf2_sha256${PBKDF2_ROUNDS}${salt}${_pbkdf2(password, salt, PBKDF2_ROUNDS)}"


def _verify_pbkdf2(password: str, stored: str) -> bool:
    _, rounds, salt, digest = stored.split("$")
    return compare_digest(_pbkdf2(password, salt, int(rounds)), digest)


def _is_bearable_pbkdf2(stored: str) -> bool:
    match = _PBKDF2.fullmatch(stored)
    return match is not None and int(match[1]) <= MOST_PBKDF2_ROUNDS


def _pbkdf2(password: str, salt: str, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds)
    return b64encode(digest).decode("ascii")


# --- the formats ------------------------------------------------------------------------------------------------------

_ARGON2ID = HashFormat(
    "argon2id",
    "$argon2id$",
    lambda password: hasher().hash(password),
    _verify_argon2,
    _is_bearable_argon2,
)
_MODULAR = HashFormat("2b", "$2b$", _make_bcrypt, _verify_bcrypt, _is_bearable_bcrypt, BCRYPT_BYTES)
_PBKDF2_SHA256 = HashFormat(
    "pbkdf2_sha256", "pbkdf2_sha256$", _make_pbkdf2, _verify_pbkdf2, _is_bearable_pbkdf2
)


def _inside(inner: HashFormat, name: HashName, prefix: str) -> HashFormat:
    """A format of Django's: another one's text behind a word of its own."""
    return HashFormat(
        name,
        prefix,
        lambda password: prefix + inner.make(password),
        lambda password, stored: inner.verify(password, stored.removeprefix(prefix)),
        lambda stored: inner.is_bearable(stored.removeprefix(prefix)),
        inner.longest,
    )


_DIGESTED = HashFormat(
    "bcrypt_sha256",
    "",
    lambda password: _make_bcrypt(_hex_digest(password)),
    lambda password, stored: _verify_bcrypt(_hex_digest(password), stored),
    _is_bearable_bcrypt,
)
FORMATS: Final[Mapping[str, HashFormat]] = {
    known.name: known
    for known in (
        _ARGON2ID,
        _MODULAR,
        _PBKDF2_SHA256,
        _inside(_ARGON2ID, "argon2", "argon2"),
        _inside(_DIGESTED, "bcrypt_sha256", "bcrypt_sha256$"),
        _inside(_MODULAR, "bcrypt", "bcrypt$"),
    )
}
"""By the word that a declaration's `hashes` uses: the one that stored texts begin with."""

_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (known.prefix,) for name, known in FORMATS.items()},
    "argon2id": ("$argon2",),
    "argon2": ("argon2$",),
    "2b": ("$2a$", "$2b$", "$2y$"),
}
_WRAPPED: Final[Mapping[str, str]] = {"argon2": "argon2id", "bcrypt": "2b"}
