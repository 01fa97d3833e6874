"""Smaller pictures of an image: made when one is first asked for, kept beside the file, gone with it."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from typing import IO, Final

from host.compiler.models import Attribute
from host.declaration.nodes import Name, Variant
from host.errors import Invalid, Unavailable
from host.fields.images import NotAPicture, made_variant, variant_format, variant_type
from host.service.files import VARIANT, Files, Known
from host.service.runtime import Runtime
from host.storage import Missing
from host.storage.paths import is_own
from host.storage.protocol import PIECE

IN_MEMORY: Final = 4 << 20
PATIENCE: Final = 10.0  # seconds in the queue


def variant_of(runtime: Runtime, attribute: Attribute, known: Known, name: str) -> Known:
    """The smaller picture of this name. Invalid where none is declared or the file is no picture."""
    variant = attribute.field.variants.get(Name(name))
    files = runtime.files
    if variant is None or files is None:
        expected = ", ".join(attribute.field.variants)
        raise Invalid.at("variant", "value", f"expected one of {expected}")
    path = _path(known, name, variant)
    try:
        size = files.storage.size(path)
    except Missing:
        size = _made(files, known, variant, path)
    digest = sha256(f"{known.digest} {path}".encode()).hexdigest()
    return Known(path, _name(known, variant), size, variant_type(known.type, variant), digest)


def _path(known: Known, name: str, variant: Variant) -> str:
    """Where it is kept: another declaration is another file."""
    base = known.path
    if not is_own(base):
        told = sha256(f"{base} {known.digest}".encode()).hexdigest()
        base = f"variants/{told[:2]}/{told[:32]}"
    form = variant_format(known.type, variant)
    return f"{base}{VARIANT}{name}-{variant.width}x{variant.height}-{variant.fit}-{variant.quality}.{form}"


def _name(known: Known, variant: Variant) -> str:
    return f"{known.name.rpartition('.')[0] or known.name}.{variant_format(known.type, variant)}"


def _made(files: Files, known: Known, variant: Variant, path: str) -> int:
    """Make it, few at a time: decoding takes memory and a core."""
    if not files.making.acquire(timeout=PATIENCE):
        raise Unavailable("too many pictures are being made smaller; try again later")
    try:
        with (
            tempfile.SpooledTemporaryFile(IN_MEMORY) as file,
            tempfile.SpooledTemporaryFile(IN_MEMORY) as small,
        ):
            _copy(files, known.path, file)
            made_variant(file, known.type, variant, files.settings.most_pixels, small)
            return _stored(files, path, small)
    except NotAPicture as error:
        raise Invalid.at("variant", "picture", str(error)) from None
    finally:
        files.making.release()


def _copy(files: Files, path: str, file: IO[bytes]) -> None:
    source = files.storage.open(path)
    try:
        for piece in source.pieces:
            file.write(piece)
    finally:
        source.close()
    file.seek(0)


def _stored(files: Files, path: str, small: IO[bytes]) -> int:
    small.seek(0)
    draft = files.storage.begin(path)
    try:
        while piece := small.read(PIECE):
            draft.write(piece)
        return draft.finish().size
    except BaseException:
        draft.discard()
        raise
