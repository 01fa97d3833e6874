"""Paths of stored files: the names that the host gives, and the check that every path passes before it is used."""

from __future__ import annotations

import re
import secrets
from typing import Final

from host.storage.protocol import Missing

LONGEST: Final = 1024
_OWN: Final = re.compile(r"(?:[a-z0-9_-]+/)*[0-9a-f]{2}/[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?(?:~[a-z0-9_.~-]+)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def new_path(folder: str, suffix: str = "") -> str:
    """A path that no other file has, e.g. `photos/3f/3f9c….jpg`. Nothing of it comes from a caller."""
    name = secrets.token_hex(16)
    return f"{folder.strip('/')}/{name[:2]}/{name}{suffix}".lstrip("/")


def is_own(path: str) -> bool:
    """Whether the host gave this name; files with other names were put there by somebody else."""
    return _OWN.fullmatch(path) is not None


def checked(path: str) -> str:
    """The path, if it stays below the root whatever it holds. Rows of other systems may hold anything; Missing for the rest."""
    parts = path.split("/")
    is_sound = (
        0 < len(path) <= LONGEST
        and _CONTROL.search(path) is None
        and not any(part == "" or part.startswith(".") for part in parts)
    )
    if not is_sound:
        raise Missing(path)
    return path
