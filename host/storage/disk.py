"""Files on a local disk: written beside their place, flushed to the disk, and moved there by one rename."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from host.errors import InsufficientStorage, Unavailable
from host.storage.paths import checked
from host.storage.protocol import PIECE, Item, Missing, Source, Stored

DRAFTS: Final = ".drafts"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskStorage:
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, path: str) -> DiskDraft:
        """A draft in a folder of its own on the same file system."""
        return DiskDraft(self.root, checked(path))

    def open(self, path: str, start: int = 0, length: int | None = None) -> Source:
        """The file's bytes from `start` on."""
        file = self._opened(path)
        size = os.fstat(file.fileno()).st_size
        rest = max(size - start, 0)
        wanted = rest if length is None else min(length, rest)
        file.seek(start)
        return Source(size, wanted, _pieces(file, wanted), file)

    def _opened(self, path: str) -> BinaryIO:
        """The regular file; a symbolic link that leads out of the root is as good as none."""
        place = self._place(path)
        try:
            if not place.resolve(strict=True).is_relative_to(self.root.resolve()):
                raise Missing(path)
            descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise Missing(path) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Missing(path)
        return os.fdopen(descriptor, "rb", buffering=0)

    def _place(self, path: str) -> Path:
        return self.root / checked(path)

    def size(self, path: str) -> int:
        """How many bytes it has."""
        with self._opened(path) as file:
            return os.fstat(file.fileno()).st_size

    def delete(self, path: str) -> bool:
        """Remove it. Its folder stays: an upload may be about to move a file there."""
        try:
            self._place(path).unlink()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        return True

    def items(self, prefix: str = "") -> Iterator[Item]:
        """Every file but drafts; only the folder of the prefix is looked through."""
        folder = checked(prefix).rpartition("/")[0] if prefix else ""
        for item in _walk(self.root / folder, self.root, skipped=DRAFTS):
            if item.path.startswith(prefix):
                yield item

    def drafts(self) -> Iterator[Item]:
        """Files in the drafts' folder."""
        yield from _walk(self.root / DRAFTS, self.root, skipped="")

    def drop_draft(self, item: Item) -> None:
        """Remove a draft."""
        (self.root / item.path).unlink(missing_ok=True)

    def link(self, path: str, name: str, media_type: str, seconds: int) -> str | None:
        """A disk has no addresses."""
        return None


class DiskDraft:
    """A file being written under a name of its own; hashed on the way."""

    def __init__(self, root: Path, path: str) -> None:
        self._root, self._path = root, path
        self._size, self._hash = 0, hashlib.sha256()
        self._draft = root / DRAFTS / f"{secrets.token_hex(16)}.part"
        try:
            _make_folder(self._draft.parent)
            self._file: BinaryIO | None = self._draft.open("xb", buffering=0)
        except OSError as error:
            raise _refusal(error) from error

    def write(self, data: bytes) -> None:
        """Append to the draft."""
        assert self._file is not None  # nobody writes behind the end
        self._hash.update(data)
        self._size += len(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _refusal(error) from error

    def finish(self) -> Stored:
        """Flush it to the disk and give it its name."""
        assert self._file is not None
        place = self._root / self._path
        try:
            os.fsync(self._file.fileno())
            self._close()
            _make_folder(place.parent)
            self._draft.replace(place)
            _sync_folder(place.parent)
        except OSError as error:
            self.discard()
            raise _refusal(error) from error
        return Stored(self._path, self._size, self._hash.hexdigest())

    def discard(self) -> None:
        """Remove the draft."""
        self._close()
        self._draft.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _refusal(error: OSError) -> Exception:
    if error.errno in _NO_ROOM:
        return InsufficientStorage("there is no room for the file")
    return Unavailable("the file cannot be stored at the moment")


def _make_folder(folder: Path) -> None:
    """The folder and those above it, for the service's user alone."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    """A rename is only safe when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    try:
        while length > 0:
            piece = file.read(min(PIECE, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
    finally:
        file.close()


def _walk(folder: Path, root: Path, *, skipped: str) -> Iterator[Item]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != skipped:
                yield from _walk(Path(entry.path), root, skipped=skipped)
        elif entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):
                found = entry.stat()
                changed = datetime.fromtimestamp(found.st_mtime, UTC)
                yield Item(Path(entry.path).relative_to(root).as_posix(), found.st_size, changed)
