"""What an import did, by line: the answer of the endpoint and the output of the command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from host.errors import HostError

MOST_ERRORS = 100


@dataclass(frozen=True, slots=True)
class LineError:
    """One thing wrong with one line of the file; `pointer` is a JSON Pointer into its record."""

    line: int
    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {"line": self.line, "pointer": self.pointer, "code": self.code, "detail": self.detail}


@dataclass
class Report:
    """Grows while an import runs. With errors nothing has been stored, except what earlier batches committed."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: list[LineError] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    committed: int = 0  # rows of the file that are safely stored, with batches that commit
    dry_run: bool = False

    @property
    def is_full(self) -> bool:
        """Whether there are so many errors that reading on is of no use."""
        return len(self.errors) >= MOST_ERRORS

    def add(self, line: int, error: HostError, pointers: Any = str) -> None:
        """Note what is wrong with a line; `pointers` turns a pointer into the file's names."""
        if not error.errors:
            self.errors.append(LineError(line, "", error.code, error.detail))
        for item in error.errors:
            self.errors.append(LineError(line, pointers(item.pointer), item.code, item.detail))
        del self.errors[MOST_ERRORS:]

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {
            "rows": self.rows, "created": self.created, "updated": self.updated, "skipped": self.skipped,
            "errors": [error.as_dict() for error in self.errors], "ignored": sorted(self.ignored),
            "dry_run": self.dry_run,
        }  # fmt: skip
