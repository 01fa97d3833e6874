"""What a migration refuses, in sentences for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from host.errors import ConfigurationError


class MigrationError(ConfigurationError):
    """A revision cannot be made or run; nothing of it has been left in the database."""

    code = "migration"
    title = "The migration cannot run"


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that a revision would lose.

    `rows` is None where only an earlier revision makes them countable.
    """

    owner: str
    revision: str
    what: str
    rows: int | None

    def __str__(self) -> str:
        return f"{self.owner} {self.revision}: {self.what} ({rows_text(self.rows)})"


class Refused(MigrationError):
    """A revision would lose data, or contradicts rows that exist. `losses` says which and how many."""

    code = "destructive"
    title = "The migration would lose data"

    def __init__(self, losses: Sequence[Loss], advice: str) -> None:
        lines = [f"  {loss}" for loss in losses]
        super().__init__("\n".join(["refused:", *lines, advice]))
        self.losses = tuple(losses)


def rows_text(rows: Any) -> str:
    """Say how many rows are at stake."""
    if rows is None:
        return "rows unknown until the revisions before it have run"
    return f"{rows} {'row' if rows == 1 else 'rows'} at stake"
