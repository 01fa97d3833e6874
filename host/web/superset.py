"""What identity answers, under every name that any client knows. An endpoint's `out` chooses out of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from host.auth.grants import Grant
from host.auth.lookup import Row

By = Literal["id", "number", "hex"]
TOKEN_TYPE = "Bearer"


def shown_account(account: Row, by: By | None) -> dict[str, Any]:
    """An account; its key as 24 digits and as a UUID, or in the one form that the endpoint wants."""
    return {**account, "id": account[by or "hex"], "user_id": account[by or "id"]}


def shown_profile(account: Row, by: By | None) -> dict[str, Any]:
    """The account that asks."""
    shown = shown_account(account, by)
    return {**shown, "user": shown}


def shown_grant(grant: Grant, by: By | None, message: str) -> Mapping[str, Any]:
    """A sign-in. What cookies hold, the body does not: scripts must not read it."""
    is_cookie = grant.kind == "cookie"
    return {
        **shown_profile(grant.account, by),
        "message": message,
        "token": None if is_cookie else grant.token,
        "token_type": TOKEN_TYPE,
        "refresh_token": None if is_cookie else grant.refresh_token,
        "expires_at": grant.expires_at,
        "expires_in": max(0, round(grant.expires_at.timestamp() - time.time())),
    }
