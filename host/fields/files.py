"""What an uploaded file is before and after it belongs to a row, and the names that files may have.

The web layer makes an `Uploaded` while it stores the bytes; it passes through input and services as the value of the field.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

LONGEST_NAME: Final = 200  # characters
_UNWANTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff<>:\"|?*]")


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A stored file that no row refers to yet. No JSON becomes one: only an upload does."""

    path: str
    name: str
    size: int
    type: str
    digest: str


def plain_name(given: str | None, fallback: str = "file") -> str:
    """The name that a sender gave, as one segment that every system can save: no folders, no control characters."""
    last = re.split(r"[/\\]", given or "")[-1]
    try:
        last.encode()
    except UnicodeEncodeError:  # a lone surrogate
        last = last.encode("utf-8", "replace").decode()
    text = " ".join(_UNWANTED.sub("", unicodedata.normalize("NFC", last)).split()).lstrip(".").rstrip(". ")
    if not text:
        return fallback
    if len(text) <= LONGEST_NAME:
        return text
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 16:
        return text[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"
