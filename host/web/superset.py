"""What identity answers, under every name that any client knows. An endpoint's `out` chooses out of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from host.auth.grants import Grant
from host.auth.lookup import Row
from host.service.runtime import Runtime
from host.web.avatars import avatar_url

By = Literal["id", "number", "hex"]
TOKEN_TYPE = "Bearer"


def shown_account(runtime: Runtime, account: Row, by: By | None) -> dict[str, Any]:
    """An account; its key as 24 digits and as a UUID, or in the one form that the endpoint wants."""
    picture = avatar_url(runtime, account)
    return {**account, "id": account[by or "hex"], "user_id": account[by or "id"], "avatar": picture}


def shown_profile(runtime: Runtime, account: Row, by: By | None) -> dict[str, Any]:
    """The account that asks."""
    shown = shown_account(runtime, account, by)
    return {**shown, "user": shown}


def shown_grant(runtime: Runtime, grant: Grant, by: By | None, message: str) -> Mapping[str, Any]:
    """A sign-in. What cookies hold, the body does not: scripts must not read it."""
    is_cookie = grant.kind == "cookie"
    return {
        **shown_profile(runtime, grant.account, by),
        "message": message,
        "token": None if is_cookie else grant.token,
        "token_type": TOKEN_TYPE,
        "refresh_token": None if is_cookie else grant.refresh_token,
        "expires_at": grant.expires_at,
        "expires_in": max(0, round(grant.expires_at.timestamp() - time.time())),
    }
