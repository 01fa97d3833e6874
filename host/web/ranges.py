"""Which part of a file a request asks for (RFC 9110, section 14): one range of bytes, or all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from host.web.http import Request

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Span:
    """From which byte, and how many."""

    start: int
    length: int


def asked_span(request: Request, size: int, tag: str) -> Span | None:
    """The part that is asked for; None for the whole file. A span of no bytes cannot be satisfied.

    Several ranges, other units and what cannot be read count as not asked; so does a range of another version.
    """
    given = request.header("range")
    match = _RANGE.fullmatch(given.replace(" ", "")) if given else None
    if match is None or match[0] == "bytes=-":
        return None
    if_range = request.header("if-range")
    if if_range is not None and if_range.strip() != tag:
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return Span(size - length, length)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return Span(start, max(end - start + 1, 0))
