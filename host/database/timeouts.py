"""How long the database may take for a request; commands and migrations have all the time they need. Read by `engines`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds, 0 for none: a statement, waiting for a lock, a transaction that does nothing, a whole request."""

    statement: float = 0
    lock: float = 0
    idle: float = 0
    request: float = 0  # which the rim begins

    def postgres_options(self) -> str:
        """What a session of PostgreSQL begins with."""
        wanted = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return "".join(f" -c {name}={int(seconds * 1000)}" for name, seconds in wanted.items() if seconds)


UNLIMITED = Timeouts()
