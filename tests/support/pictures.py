"""Pictures for tests of uploads, made when they are wanted."""

from __future__ import annotations

from io import BytesIO
from typing import Any


def picture(
    form: str = "PNG", size: tuple[int, int] = (60, 40), colour: str = "red", **options: Any
) -> bytes:
    """The bytes of a picture."""
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", size, colour).save(file, form, **options)
    return file.getvalue()
