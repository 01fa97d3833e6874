"""Bodies that are too large for memory: read piece by piece, counted, and kept on disk where they have to be read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from host.errors import BadRequest, PayloadTooLarge
from host.web.http import Request

PIECE: Final = 256 << 10
IN_MEMORY: Final = 1 << 20  # of a body that is kept; more of it lies on disk


def pieces(request: Request) -> Iterator[bytes]:
    """The body as it comes. PayloadTooLarge beyond the request's limit, BadRequest where it ends before its announced length."""
    too_large = PayloadTooLarge(f"the body may have at most {request.body_limit} bytes")
    if request.length is not None and request.length > request.body_limit:
        raise too_large
    received = 0
    while request.length is None or received < request.length:
        piece = request.read(PIECE if request.length is None else min(PIECE, request.length - received))
        if not piece:
            break
        received += len(piece)
        if received > request.body_limit:
            raise too_large
        yield piece
    if request.length is not None and received < request.length:
        raise BadRequest("the body ended before its announced length")
