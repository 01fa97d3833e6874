"""Where the unix sockets of a site lie: under `var/`, or where its path is too long for one, in a folder of the user's own."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from host.errors import ConfigurationError

LONGEST: Final = 90  # of the 104 bytes that the narrowest system gives to the path of a socket


def socket_place(var: Path) -> Path:
    """Where they lie. Nothing is made."""
    folder = var / "run"
    if len(os.fsencode(folder)) + len("/redis.sock") <= LONGEST:
        return folder
    digest = sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hostwright-{os.getuid()}-{digest}"


def socket_folder(var: Path) -> Path:
    """The same folder, which is there from now on, and into which nobody else may look."""
    folder = socket_place(var)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigurationError(
            f"others have a hand in the folder {folder}: remove it, or run `chmod 700` on it"
        )
    return folder


def leave_folder(var: Path) -> None:
    """Remove it again where it is not under `var/`, unless somebody else has a socket in it."""
    folder = socket_place(var)
    if folder.parent != var:
        with suppress(OSError):
            folder.rmdir()
