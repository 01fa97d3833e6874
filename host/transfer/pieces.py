"""A binary source as lines or documents, with bounded memory whatever it holds. The readers of formats are built on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from host.errors import FieldError, Invalid

Read = Callable[[int], bytes]
PIECE = 256 * 1024
LONGEST_RECORD = 16 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}]', re.DOTALL)
_BETWEEN = b" \t\r\n,[]"


class Malformed(Invalid):
    """The source cannot be read any further than this line."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}", [FieldError("", "malformed", detail)])
        self.line = line


def lines(read: Read) -> Iterator[bytes]:
    """Each line with its end, without a byte order mark in front."""
    rest, number = b"", 0
    while piece := read(PIECE):
        found = (rest + piece).split(b"\n")
        rest = found.pop()
        for line in found:
            number += 1
            yield (line if number > 1 else line.removeprefix(BYTE_ORDER_MARK)) + b"\n"
        if len(rest) > LONGEST_RECORD:
            raise Malformed(number + 1, f"a line may have at most {LONGEST_RECORD} bytes")
    if rest:
        yield rest if number else rest.removeprefix(BYTE_ORDER_MARK)


def documents(read: Read) -> Iterator[tuple[int, bytes]]:
    """Each JSON object of a sequence, or of one array, with the line where it begins, however it is broken into lines."""
    rest = read(PIECE).removeprefix(BYTE_ORDER_MARK)
    line, is_last = 1, not rest
    while True:
        used = 0
        for start, end in _objects(rest):
            line = _skipped(rest[used:start], line)
            yield line, rest[start:end]
            line += rest.count(b"\n", start, end)
            used = end
        begin = len(rest) - len(rest[used:].lstrip(_BETWEEN))
        line = _skipped(rest[used:begin], line)
        rest = rest[begin:]
        if is_last:
            break
        piece = read(PIECE)
        is_last = not piece
        if len(rest) > LONGEST_RECORD:
            raise Malformed(line, f"a document may have at most {LONGEST_RECORD} bytes")
        rest += piece
    if rest:
        raise Malformed(
            line, "expected a JSON object" if not rest.startswith(b"{") else "the last document has no end"
        )


def _skipped(between: bytes, line: int) -> int:
    """The line behind what stands between two objects, which has to be nothing but separators."""
    if between.strip(_BETWEEN):
        raise Malformed(line, "expected a JSON object")
    return line + between.count(b"\n")


def _objects(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the complete objects of the outermost level begin and end."""
    depth = start = 0
    for token in _TOKENS.finditer(data):
        match token[0]:
            case b"{":
                if depth == 0:
                    start = token.start()
                depth += 1
            case b"}":
                depth -= 1
                if depth == 0:
                    yield start, token.end()
                elif depth < 0:
                    return
            case b'"':
                return  # a text that ends in the next piece
