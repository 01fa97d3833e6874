"""Valid contents for file fields, and forms that carry them: what conformance tests upload."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import orjson

from host.compiler.models import Attribute
from host.compiler.wires import CompiledWire
from host.fields.files import Uploaded
from host.fields.media import accepts
from host.service.files import Files
from host.storage.paths import new_path
from host.web.row_forms import form_slots

_PIXEL: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CONTENTS: Final[Mapping[str, tuple[bytes, str]]] = {
    "text/plain": (b"some words", "words.txt"), "image/png": (_PIXEL, "pixel.png"),
    "application/pdf": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "paper.pdf"), "application/json": (b'{"a": 1}', "a.json"),
    "audio/mpeg": (b"ID3\x03" + bytes(60), "sound.mp3"), "application/zip": (b"PK\x05\x06" + bytes(18), "empty.zip"),
}  # fmt: skip


def content_for(attribute: Attribute) -> tuple[str, bytes, str] | None:
    """The media type, bytes and name of a file that a field takes; None where none is known."""
    for media, (content, name) in CONTENTS.items():
        if accepts(attribute.field, media):
            return media, content, name
    return None


def uploaded(files: Files, attribute: Attribute) -> Uploaded | None:
    """A file in the storage that a row can have."""
    found = content_for(attribute)
    if found is None:
        return None
    media, content, name = found
    draft = files.storage.begin(new_path(attribute.field.folder or ""))
    draft.write(content)
    stored = draft.finish()
    return Uploaded(stored.path, name, stored.size, media, stored.digest)


def wanted_files(wire: CompiledWire) -> dict[str, Attribute]:
    """The parts without which create takes no row."""
    slots = form_slots(wire, updating=False)
    return {
        outer: wire.model.attributes[slot.name]
        for outer, slot in slots.items()
        if slot.field.required and wire.outer[slot.name] == outer
    }


def form_of(body: Mapping[str, Any], wire: CompiledWire) -> dict[str, Any]:
    """A JSON body as the parts of a form, with the files that have to come."""
    form: dict[str, Any] = {key: _text(value) for key, value in body.items() if value is not None}
    for outer, attribute in wanted_files(wire).items():
        found = content_for(attribute)
        assert found is not None, f"tell a content for {wire.model.name}.{attribute.name}"
        form[outer] = (BytesIO(found[1]), found[2], found[0])
    return form


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
