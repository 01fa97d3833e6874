"""What an account is called: the rules of user names and e-mail addresses, decided before anything is stored.

Pure functions; `accounts` calls them. That a name is free is decided by the unique index alone.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from host.errors import Invalid
from host.fields.inputs import EMAIL

LONGEST_USERNAME = 150
LONGEST_EMAIL = 254
SUFFIXES = (2, 4, 8)  # bytes of ever longer random endings


def names_of(values: Mapping[str, Any]) -> dict[str, str]:
    """`username` and `email` of a new account, as far as given, in one spelling. Raises Invalid.

    A user name that contains `@` has to be the account's own address; it becomes the address where none is given.
    """
    username, email = _text(values.get("username")), _text(values.get("email"))
    if not username and not email:
        raise Invalid.at("/username", "required", "give a user name or an e-mail address")
    if username and "@" in username:
        if email and email.lower() != username.lower():
            raise Invalid.at(
                "/username", "email", "a user name with @ has to be the account's own e-mail address"
            )
        email = email or username
    if username:
        _check_username(username)
    if email and (len(email) > LONGEST_EMAIL or EMAIL.fullmatch(email) is None):
        pointer = "/email" if values.get("email") else "/username"
        raise Invalid.at(pointer, "email", "not an e-mail address")
    return {key: text for key, text in (("username", username), ("email", email)) if text}


def usernames_for(email: str) -> Iterator[str]:
    """User names to try for an address: what stands before the @, then the same with random endings."""
    base = "".join(letter for letter in email.partition("@")[0] if letter.isprintable())[:128] or "user"
    yield base
    for size in SUFFIXES:
        yield f"{base}-{secrets.token_hex(size)}"


def full_name(values: Mapping[str, Any]) -> str | None:
    """The whole name: given as `name` or `full_name`, else put together."""
    parts = (values.get("first_name"), values.get("last_name"))
    return values.get("name") or values.get("full_name") or " ".join(part for part in parts if part) or None


def _text(value: Any) -> str:
    return unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""


def _check_username(username: str) -> None:
    if len(username) > LONGEST_USERNAME:
        raise Invalid.at("/username", "length", f"a user name has at most {LONGEST_USERNAME} characters")
    if not username.isprintable():  # also what is invisible: two names that look alike must be alike
        raise Invalid.at("/username", "text", "a user name holds only visible characters")
