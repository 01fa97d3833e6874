"""Where something stands in YAML, and what is wrong there. Every module of this package reports through it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file, with the positions of the values below it (`keys`: the value's, `names`: the key's own)."""

    file: str = ""
    line: int = 0
    column: int = 0
    keys: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    names: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def of(self, *path: str | int) -> Place:
        """The place of a value below, or the nearest one above it that is written."""
        place = self
        for key in path:
            below = place.keys.get(str(key))
            if below is None:
                return place
            place = below
        return place

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong; `path` is dotted (`invoice.fields.total.type`), `code` is stable and tested."""

    place: Place
    path: str
    code: str
    message: str

    def __str__(self) -> str:
        subject = f" {self.path}:" if self.path else ""
        return f"{self.place}{subject} {self.message}"

    def as_dict(self) -> dict[str, object]:
        """The form of `hostwright check --json`."""
        place = self.place
        return {
            "file": place.file, "line": place.line, "column": place.column,
            "path": self.path, "code": self.code, "message": self.message,
        }  # fmt: skip


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "decimal"?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
