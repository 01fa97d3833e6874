"""What the operator decides about accounts, sign-in and sessions. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """Accounts and tokens."""

    password_min: int = setting(8, "PASSWORD_MIN")  # characters
    sign_up: bool = setting(True, "SIGN_UP")
    token_seconds: int = setting(7 * 24 * 3600, "TOKEN_SECONDS")  # of clients that never refresh
    access_seconds: int = setting(15 * 60, "ACCESS_SECONDS")  # of clients that refresh
    cookies: bool = setting(False, "COOKIES")  # count on every operation, not only where it is declared
    session_seconds: int = setting(30 * 24 * 3600, "SESSION_SECONDS")  # until those sign in again
