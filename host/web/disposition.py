"""How a file is handed to a browser: shown only where nothing in it can act, else saved; under a name that is safe."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

SHOWN: Final = re.compile(r"image/(png|jpeg|gif|webp|avif|bmp)|text/plain|(audio|video)/[a-z0-9.+-]+")
_SAFE: Final = re.compile(r"[^A-Za-z0-9 ._()\[\]-]")


def content_disposition(name: str, media: str, *, is_saved: bool) -> str:
    """`inline` for pictures, sounds and plain text, `attachment` for the rest; names as RFC 6266 and 8187 have them."""
    kind = "inline" if SHOWN.fullmatch(media) and not is_saved else "attachment"
    plain = _SAFE.sub("_", name)
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def content_type(media: str) -> str:
    """The media type with the charset that every text here has been checked for."""
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
