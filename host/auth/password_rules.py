"""What nobody may choose for a password (NIST SP 800-63B): too short, known to everybody, or the account's own name.

There are no rules of composition, and nothing is cut. `passwords` calls it.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from host.errors import Invalid

SHORTEST, LONGEST = 8, 1024  # characters; the schema of sign-up says the same
SHORTEST_WORD = 4  # shorter names occur in good passwords by chance
SHORTEST_REST = 4  # what has to be there beside a name
_LIST: Final = Path(__file__).with_name("common-passwords.txt.gz")
_NEITHER = re.compile(r"[\W_]+")


def check_password(
    password: str, shortest: int = SHORTEST, words: Iterable[str] = (), *, at: str = "/password"
) -> None:
    """Raise Invalid for a password that nobody may choose; `words` are names that it may not be made of."""
    if len(password) < shortest:
        raise Invalid.at(at, "length", f"a password has at least {shortest} characters")
    if len(password) > LONGEST:
        raise Invalid.at(at, "length", f"a password has at most {LONGEST} characters")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise Invalid.at(at, "text", "the password is not valid Unicode") from None
    plain = unicodedata.normalize("NFKC", password).casefold()
    if is_common(plain):
        raise Invalid.at(at, "common", "too many people use this password; choose another")
    if any(_is_made_of(plain, word) for word in words):
        raise Invalid.at(at, "personal", "a password has to be more than your name or this site's")


def is_common(password: str) -> bool:
    """Whether a password, in lower case, is one of those that are tried first."""
    return "\n" not in password and f"\n{password}\n".encode() in _common()


def _is_made_of(password: str, word: str) -> bool:
    bare, name = _NEITHER.sub("", password), _NEITHER.sub("", unicodedata.normalize("NFKC", word).casefold())
    return len(name) >= SHORTEST_WORD and name in bare and len(bare.replace(name, "")) < SHORTEST_REST


@cache
def _common() -> bytes:
    """The list, as it lies in the file: searching it takes microseconds, which is nothing beside hashing."""
    return b"\n" + gzip.decompress(_LIST.read_bytes()) + b"\n"
