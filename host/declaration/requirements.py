"""Requirements of one plugin on another, or on the host: `billing>=1.2,<2`. Versions are numbers with dots (1.4.0)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Version = tuple[int, ...]

_REQUIREMENT: Final = re.compile(r"\s*([a-z][a-z0-9_]*)?\s*(.*?)\s*")
_CLAUSE: Final = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*)\s*")
_VERSION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)*).*")
_OPERATORS: Final[Mapping[str, Callable[[Version, Version], bool]]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requirement:
    """A name, which may be empty, and the clauses that a version has to fulfil."""

    name: str
    text: str
    clauses: tuple[tuple[str, Version], ...]

    def allows(self, version: str) -> bool:
        """Whether a version fulfils every clause."""
        return all(_OPERATORS[sign](parse_version(version), wanted) for sign, wanted in self.clauses)


def parse_requirement(text: str) -> Requirement:
    """Read `name>=1,<2`, `name` or `>=1`. ValueError when it is not one."""
    found = _REQUIREMENT.fullmatch(text)
    name, rest = (found[1] or "", found[2]) if found else ("", text)
    clauses = [_CLAUSE.fullmatch(part) for part in rest.split(",")] if rest else []
    if not all(clauses):
        raise ValueError(f'"{text}" is not a requirement, such as billing>=1.2,<2')
    return Requirement(
        name, rest, tuple((clause[1], parse_version(clause[2])) for clause in clauses if clause)
    )


def parse_version(text: str) -> Version:
    """The numbers of a version without zeros at the end, so that 1.0 and 1 are the same. ValueError for another text."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a version, such as 1.4.0')
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
