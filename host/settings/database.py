"""What the operator decides about the database's patience with requests. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Beyond these a request is answered 503; commands and migrations have no limits."""

    statement_seconds: int = setting(30, "STATEMENT_SECONDS")
    lock_seconds: int = setting(5, "LOCK_SECONDS")
    idle_seconds: int = setting(300, "IDLE_TRANSACTION_SECONDS")
