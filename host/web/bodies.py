"""Bodies that are too large for memory: read piece by piece, counted, and kept on disk where they have to be read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from host.errors import BadRequest, InsufficientStorage, PayloadTooLarge
from host.storage.protocol import PIECE
from host.web.http import Request

IN_MEMORY: Final = 1 << 20  # of a body that is kept; more of it lies on disk


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The most bytes of a body, and whether that is all that the caller may still store."""

    size: int
    is_quota: bool = False

    def refuse(self) -> Exception:
        """What is raised beyond it."""
        if self.is_quota:
            return InsufficientStorage("you have stored as much as you may: remove some of your files first")
        return PayloadTooLarge(f"the body may have at most {self.size} bytes")


def body_pieces(request: Request, limit: BodyLimit | None = None) -> Iterator[bytes]:
    """The body as it comes, within the request's own limit if no other is given.

    One that says that it is longer is not begun; BadRequest where it ends too early.
    """
    limit = limit or BodyLimit(request.body_limit)
    if request.length is not None and request.length > limit.size:
        raise limit.refuse()
    rest, total = request.length, 0
    while rest is None or rest > 0:
        try:
            piece = request.read(PIECE if rest is None else min(PIECE, rest))
        except (OSError, ValueError, EOFError) as error:
            raise BadRequest("the body broke off") from error
        if not piece:
            if rest is not None:
                raise BadRequest("the body ended before its announced length")
            return
        total += len(piece)
        if total > limit.size:
            raise limit.refuse()
        rest = None if rest is None else rest - len(piece)
        yield piece
