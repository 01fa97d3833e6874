"""What a storage can do, and the facts it answers. Paths are texts below the storage's root, with `/` between folders.

Nothing is ever overwritten and nothing is visible half-written: bytes go into a draft, which becomes a file at once
or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

PIECE = 256 << 10  # bytes read and passed on at once


class Missing(LookupError):
    """There is no file at this path, or it is no path that a file of this storage can have."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was stored just now; `digest` is the SHA-256 of its bytes in hexadecimal digits."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Item:
    """A file that lies in the storage."""

    path: str
    size: int
    changed: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a range of one, opened for reading: `size` is the whole file's, `length` of what `pieces` give.

    Whoever opens it closes it. `file` is the open file at the right place, where there is one of the operating system's.
    """

    size: int
    length: int
    pieces: Iterator[bytes]
    file: BinaryIO | None = None

    def close(self) -> None:
        """Give back what was opened."""
        close = getattr(self.pieces, "close", None)
        if close is not None:
            close()
        if self.file is not None:
            self.file.close()


class Draft(Protocol):
    """A file being written; one of `finish` and `discard` ends it."""

    def write(self, data: bytes) -> None:
        """Append. InsufficientStorage when there is no room."""

    def finish(self) -> Stored:
        """Make it a file, safely on disk, all at once."""

    def discard(self) -> None:
        """Leave nothing behind; also after a failure, and more than once."""


class Storage(Protocol):
    """Files by path."""

    def begin(self, path: str) -> Draft:
        """A draft of a new file; `path` must be one of `new_path`."""

    def open(self, path: str, start: int = 0, length: int | None = None) -> Source:
        """The file's bytes from `start` on. Raises Missing."""

    def size(self, path: str) -> int:
        """How many bytes it has. Raises Missing."""

    def delete(self, path: str) -> bool:
        """Remove it; False when it was not there."""

    def items(self, prefix: str = "") -> Iterator[Item]:
        """Every file whose path begins so."""

    def drafts(self) -> Iterator[Item]:
        """What uploads that never ended have left behind, and those under way."""

    def drop_draft(self, item: Item) -> None:
        """Remove one of `drafts`."""

    def link(self, path: str, name: str, media_type: str, seconds: int) -> str | None:
        """An address where a client fetches the file by itself; None where it has to come through the host."""
