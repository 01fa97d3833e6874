"""Pictures: whether a file really is one, and smaller ones made of it. Pillow is loaded when the first picture comes."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from host.declaration.nodes import Variant

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Final = {
    "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF",
    "image/bmp": "BMP", "image/tiff": "TIFF",
}  # fmt: skip
_WRITTEN: Final = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
_ANSWERED: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class NotAPicture(ValueError):
    """The file is no picture, a broken one, or one with too many pixels."""


def check_picture(file: IO[bytes], media: str, most_pixels: int) -> None:
    """Whether the file is a picture of this type. No pixel is decoded. Raises NotAPicture."""
    picture = _opened(file, media, most_pixels)
    try:
        picture.verify()
    except Exception as error:  # every decoder raises its own
        raise NotAPicture("the picture is broken") from error


def made_variant(file: IO[bytes], media: str, variant: Variant, most_pixels: int, target: IO[bytes]) -> None:
    """Write a smaller picture: upright as the camera was held, and without where and by whom it was taken."""
    from PIL import ImageOps

    picture = _opened(file, media, most_pixels)
    try:
        picture.draft("RGB", (variant.width * 2, variant.height * 2))
        upright = ImageOps.exif_transpose(picture)
        small = _resized(upright, variant)
        written = _WRITTEN[variant_format(media, variant)]
        if written == "JPEG" and small.mode not in ("RGB", "L"):
            small = _on_white(small)
        small.info.clear()  # Pillow would write back what it read: EXIF, comments, profiles
        options: dict[str, Any] = {} if written == "PNG" else {"quality": variant.quality}
        small.save(target, written, **options)
    except NotAPicture:
        raise
    except Exception as error:
        raise NotAPicture("the picture is broken") from error


def variant_format(media: str, variant: Variant) -> str:
    """The format of a smaller picture: the declared one, else the picture's own where that is fit for the purpose."""
    own = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "image/gif": "png"}
    return variant.format or own.get(media, "webp")


def variant_type(media: str, variant: Variant) -> str:
    """The media type of a smaller picture."""
    return _ANSWERED[_WRITTEN[variant_format(media, variant)]]


def _opened(file: IO[bytes], media: str, most_pixels: int) -> Image:
    from PIL import Image

    wanted = FORMATS.get(media)
    if wanted is None:
        raise NotAPicture(f"{media} is no picture that can be looked at")
    too_large = NotAPicture(f"a picture may have at most {most_pixels} pixels")
    try:
        picture = Image.open(file, formats=[wanted])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except Exception as error:
        raise NotAPicture("the picture is broken") from error
    if picture.width * picture.height > most_pixels:
        raise too_large
    return picture


def _resized(picture: Image, variant: Variant) -> Image:
    from PIL import Image, ImageOps

    plain = (
        picture.convert("RGBA" if _has_alpha(picture) else "RGB")
        if picture.mode not in ("RGB", "RGBA", "L")
        else picture
    )
    size = (variant.width, variant.height)
    if variant.fit == "cover":
        return ImageOps.fit(plain, size, Image.Resampling.LANCZOS)
    small = plain.copy()
    small.thumbnail(size, Image.Resampling.LANCZOS)
    return small


def _has_alpha(picture: Image) -> bool:
    return picture.mode in ("LA", "PA", "La") or "transparency" in picture.info


def _on_white(picture: Image) -> Image:
    from PIL import Image

    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
    return ground
