"""The fenced blocks of a document, in order. What stands behind the language says what a block is for.

`yaml title=path` is a file; `console` are commands with what they print; `console server` starts a server; `text server` is
something that the running server has to print. Blocks of other kinds are only to be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is where its content begins."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    @property
    def title(self) -> str | None:
        """The file that the block is."""
        return next((word.removeprefix("title=") for word in self.words if word.startswith("title=")), None)


@dataclass(frozen=True)
class Command:
    """One command of a console block, and what it is said to print."""

    text: str
    expected: str
    line: int


def blocks_of(document: str) -> list[Block]:
    """Every fenced block that names a language."""
    return [
        Block(found[1], tuple(found[2].split()), found[3], document.count("\n", 0, found.start()) + 2)
        for found in _BLOCK.finditer(document)
    ]


def commands_of(block: Block) -> list[Command]:
    """The commands of a console block: `$ ` begins one, a backslash at the end of a line continues it."""
    found: list[tuple[int, list[str], list[str]]] = []
    is_open = False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append((number, [line[2:]], []))
            is_open = line.endswith("\\")
        elif is_open:
            found[-1][1].append(line)
            is_open = line.endswith("\\")
        else:
            found[-1][2].append(line)
    return [Command("\n".join(text), "\n".join(expected), number) for number, text, expected in found]


def documents() -> list[Path]:
    """Everything that is written for readers."""
    folders = [ROOT / "docs", *(path.parent for path in (ROOT / "plugins").glob("*/plugin.yaml"))]
    return [
        ROOT / "README.md",
        *(path for folder in sorted(folders) for path in sorted(folder.rglob("*.md"))),
    ]
