"""Calls in a revision script, broken into lines as the formatter would break them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 110
INDENT = "    "


@dataclass(frozen=True)
class Chain:
    """Methods called one after the other on what the one before answers."""

    links: tuple[str, ...]

    def flat(self) -> str:
        """Write it on one line, whatever its length."""
        return ".".join(self.links)

    def lines(self, indent: str = "") -> str:
        """Write it on one line if it fits, else each call on a line of its own."""
        if len(indent) + len(self.flat()) < WIDTH:
            return self.flat()
        first, second, *rest = self.links
        return f"\n{indent}.".join([f"{first}.{second}", *rest])


@dataclass(frozen=True)
class Call:
    """A call in a script, before it is broken into lines; a tall one has an argument on each line."""

    name: str
    arguments: tuple[str | Call | Chain, ...]
    is_tall: bool = False

    def lines(self, indent: str = "") -> str:
        """Write it on one line if it fits, else as the formatter would break it."""
        inner = indent + INDENT
        hugged = ", ".join(_flat(argument) for argument in self.arguments)
        if not self.is_tall and len(indent) + len(self.flat()) < WIDTH:
            return self.flat()
        if not self.is_tall and len(inner) + len(hugged) <= WIDTH:
            return f"{self.name}(\n{inner}{hugged}\n{indent})"
        rows = [f"{inner}{_lines(argument, inner)},\n" for argument in self.arguments]
        return f"{self.name}(\n{''.join(rows)}{indent})"

    def flat(self) -> str:
        """Write it on one line, whatever its length."""
        return f"{self.name}({', '.join(_flat(argument) for argument in self.arguments)})"


def _flat(argument: str | Call | Chain) -> str:
    return argument if isinstance(argument, str) else argument.flat()


def _lines(argument: str | Call | Chain, indent: str) -> str:
    return argument if isinstance(argument, str) else argument.lines(indent)


def quoted(text: str) -> str:
    """Write a text as Python does, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def listed(names: Sequence[str]) -> str:
    """Write a list of texts."""
    return f"[{', '.join(quoted(name) for name in names)}]"


def escaped(sql: str) -> str:
    """Keep SQLAlchemy from taking a colon inside an expression for a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", sql)
