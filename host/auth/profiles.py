"""What an account's owner changes of it, as values to store. Pure functions; the web layer calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.auth.lookup import Row
from host.auth.names import names_of

PLAIN = ("first_name", "last_name")


def changed_profile(account: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the account, checked as at sign-up. Raises Invalid. Another address is not verified yet."""
    asked = {key: given[key] for key in ("username", "email") if key in given}
    kept = {key: account[key] for key in ("username", "email") if key not in given}
    names = {key: names_of({**kept, **asked}).get(key) for key in asked} if asked else {}
    whole = [given[key] for key in ("name", "full_name") if key in given][:1]
    values = {
        **names,
        **({"name": whole[0]} if whole else {}),
        **{key: given[key] for key in PLAIN if key in given},
    }
    found = {key: value for key, value in values.items() if value != account[key]}
    if "email" in found:
        found["email_verified"] = False
    return found
