"""One file on its way into the storage: counted, looked at and hashed piece by piece; nothing is left of what is refused."""

from __future__ import annotations

import tempfile
from typing import IO, Final

from host.declaration.nodes import Field
from host.errors import FieldError, Invalid, PayloadTooLarge, UnsupportedMediaType
from host.fields.files import Uploaded, plain_name
from host.fields.images import NotAPicture, check_picture
from host.fields.media import HEAD, Forged, accepted, accepts, media_type, suffix
from host.service.files import Files
from host.storage import Draft
from host.storage.paths import new_path

IN_MEMORY: Final = 1 << 20  # of a picture that is looked at again


class Incoming:
    """The file of one field. `name` is the field's, for errors; `given` and `claimed` are what its sender says of it."""

    def __init__(self, files: Files, name: str, field: Field, given: str | None, claimed: str | None) -> None:
        self._files, self._name, self._field = files, name, field
        self._given, self._claimed = given, claimed
        self._head, self._size = bytearray(), 0
        self._draft: Draft | None = None
        self._type = ""
        self._again: IO[bytes] | None = None
        self._stored: str | None = None

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises what is wrong as soon as it is known."""
        self._size += len(data)
        if self._size > self._field.max:
            detail = f"a file here may have at most {self._field.max} bytes"
            raise PayloadTooLarge(detail, [FieldError(f"/{self._name}", "too_large", detail)])
        if self._draft is not None:
            self._pass_on(data)
            return
        self._head += data
        if len(self._head) >= HEAD:
            self._begin()

    def finish(self) -> Uploaded:
        """The stored file, which no row refers to yet."""
        if self._draft is None:
            self._begin()
        assert self._draft is not None
        self._check_picture()
        stored = self._draft.finish()
        self._stored, self._draft = stored.path, None
        name = plain_name(self._given, f"{self._name}{suffix(self._type)}")
        return Uploaded(stored.path, name, stored.size, self._type, stored.digest)

    def discard(self) -> None:
        """Leave nothing behind, finished or not."""
        if self._again is not None:
            self._again.close()
        if self._draft is not None:
            self._draft.discard()
            self._draft = None
        if self._stored is not None:
            self._files.drop(self._stored)
            self._stored = None

    def keep(self) -> None:
        """The file belongs to a row now."""
        self._stored = None

    def _begin(self) -> None:
        head = bytes(self._head)
        try:
            self._type = media_type(head[:HEAD], self._claimed, plain_name(self._given, ""))
        except Forged as error:
            raise Invalid.at(f"/{self._name}", "forged", str(error)) from None
        if not accepts(self._field, self._type):
            detail = f"expected a file of the type {' or '.join(accepted(self._field))}, not {self._type}"
            raise UnsupportedMediaType(detail, [FieldError(f"/{self._name}", "type", detail)])
        if self._field.type == "image":
            self._again = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by `discard` or `finish`
        self._draft = self._files.storage.begin(new_path(self._field.folder or "", suffix(self._type)))
        self._head.clear()
        self._pass_on(head)

    def _pass_on(self, data: bytes) -> None:
        assert self._draft is not None
        self._draft.write(data)
        if self._again is not None:
            self._again.write(data)

    def _check_picture(self) -> None:
        if self._again is None:
            return
        try:
            self._again.seek(0)
            check_picture(self._again, self._type, self._files.settings.most_pixels)
        except NotAPicture as error:
            raise Invalid.at(f"/{self._name}", "picture", str(error)) from None
        finally:
            self._again.close()
            self._again = None
