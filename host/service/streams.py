"""What an action with `out: stream` or `out: file` returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """Pieces of bytes that are asked for one by one after the transaction and its connection have been given back.

    A client that disconnects closes the iterable, if it can be closed.
    """

    pieces: Iterable[bytes]
    content_type: str = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
