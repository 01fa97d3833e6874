"""Bodies with files in them: multipart/form-data, or a file by itself, read as they come and stored while they are read.

`receiving` puts what came where `Request.json` looks, so that handlers of rows know nothing of it. Whoever may not store is
told before the body is read; whatever fails, nothing stays behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from host.declaration.nodes import Field
from host.errors import (
    BadRequest,
    FieldError,
    Invalid,
    LengthRequired,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from host.fields.files import Uploaded
from host.service.files import Files
from host.web.bodies import BodyLimit, body_pieces
from host.web.http import Request
from host.web.incoming import Incoming

FORM: Final = "multipart/form-data"
MOST_PARTS: Final = 1000
MOST_TEXT: Final = 1 << 20  # bytes of all parts that are no files
Form = dict[str, Any]


@dataclass(frozen=True)
class Slot:
    """Where a file may go: the field, under its inner name."""

    name: str
    field: Field


def is_form(request: Request) -> bool:
    """Whether the body is multipart/form-data."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM


@contextmanager
def received_form(
    files: Files, request: Request, slots: Mapping[str, Slot], room: int | None
) -> Iterator[Form]:
    """The parts by name: lists of texts, and uploaded files, which are removed again when the block fails."""
    taken: list[Incoming] = []
    try:
        yield _FormReader(files, slots, taken).read(request, _limit(slots.values(), room, MOST_TEXT))
    except BaseException:
        for incoming in taken:
            incoming.discard()
        raise


@contextmanager
def received_file(files: Files, request: Request, slot: Slot, room: int | None) -> Iterator[Uploaded]:
    """A body that is the file itself."""
    from multipart import parse_content_disposition

    if request.length is None:  # not every server tells a body that broke off from one that ended
        raise LengthRequired("send Content-Length, or the file as a part of multipart/form-data")
    said = request.header("content-disposition")
    given = parse_content_disposition(said)[2] if said else None
    incoming = Incoming(files, slot.name, slot.field, given, request.header("content-type"))
    try:
        for piece in body_pieces(request, _limit([slot], room)):
            incoming.write(piece)
        yield incoming.finish()
    except BaseException:
        incoming.discard()
        raise


def _limit(slots: Iterable[Slot], room: int | None, more: int = 0) -> BodyLimit:
    """The limit of a body with these files and so many bytes more."""
    most = sum(int(slot.field.max) for slot in {slot.name: slot for slot in slots}.values())
    return BodyLimit(most + more) if room is None or room > most else BodyLimit(room + more, is_quota=True)


class _FormReader:
    """Takes the events of the parser: texts are collected, files passed on."""

    def __init__(self, files: Files, slots: Mapping[str, Slot], taken: list[Incoming]) -> None:
        self._files, self._slots, self._taken = files, slots, taken
        self._form: Form = {}
        self._text_size = 0
        self._end: Callable[[], None] = lambda: None
        self._data: Callable[[bytes], None] = lambda data: None

    def read(self, request: Request, limit: BodyLimit) -> Form:
        """Everything."""
        from multipart import MultipartError, ParserLimitReached, PushMultipartParser

        try:
            parser = PushMultipartParser(
                _boundary(request), max_header_size=8192, max_segment_count=MOST_PARTS, strict=True
            )
            for piece in body_pieces(request, limit):
                for event in parser.parse(piece):
                    self._take(event)
            parser.close()
        except ParserLimitReached:
            raise PayloadTooLarge(f"a form may have at most {MOST_PARTS} parts with short headers") from None
        except MultipartError as error:
            raise BadRequest(f"the body is not {FORM}: {error}") from None
        return self._form

    def _take(self, event: Any) -> None:
        if event is None:
            self._end()
        elif isinstance(event, bytes | bytearray):
            self._data(bytes(event))
        else:
            self._begin(event)

    def _begin(self, part: Any) -> None:
        slot = self._slots.get(part.name)
        if slot is None:
            self._begin_text(part)
        elif part.filename is None and part.content_type is None:
            self._begin_empty(part.name, slot)
        else:
            self._begin_file(part, slot)

    def _begin_text(self, part: Any) -> None:
        if part.filename is not None:
            raise Invalid.at(f"/{part.name}", "unknown", "nobody declared a file of this name")
        pieces: list[bytes] = []

        def take(data: bytes) -> None:
            self._text_size += len(data)
            if self._text_size > MOST_TEXT:
                raise PayloadTooLarge(f"the texts of a form may have at most {MOST_TEXT} bytes")
            pieces.append(data)

        def end() -> None:
            try:
                text = b"".join(pieces).decode()
            except UnicodeDecodeError:
                raise Invalid.at(f"/{part.name}", "invalid", "not a text in UTF-8") from None
            self._form.setdefault(part.name, []).append(text)

        self._data, self._end = take, end

    def _begin_empty(self, name: str, slot: Slot) -> None:
        """A text where a file is wanted: an empty one clears the field."""

        def refuse(data: bytes) -> None:
            raise Invalid.at(f"/{slot.name}", "invalid", "expected a file: its part needs a filename")

        def end() -> None:
            self._form.setdefault(name, None)

        self._data, self._end = refuse, end

    def _begin_file(self, part: Any, slot: Slot) -> None:
        if self._form.get(part.name) is not None:
            raise Invalid.at(f"/{slot.name}", "invalid", "there may be one file here")
        incoming = Incoming(self._files, slot.name, slot.field, part.filename, part.content_type)
        self._taken.append(incoming)
        size = 0

        def take(data: bytes) -> None:
            nonlocal size
            size += len(data)
            incoming.write(data)

        def end() -> None:
            if size or part.filename:  # browsers send an empty part for an input that nobody filled in
                self._form[part.name] = incoming.finish()

        self._data, self._end = take, end


def _boundary(request: Request) -> str:
    from multipart import parse_options_header

    boundary = str(parse_options_header(request.header("content-type") or "")[1].get("boundary", ""))
    if not boundary or len(boundary) > 200:
        raise UnsupportedMediaType(f"send the body as {FORM} with a boundary", [
            FieldError("", "boundary", "there is no boundary in Content-Type")
        ])  # fmt: skip
    return boundary
