"""What a file is by its first bytes, compared with what its sender says it is. Called while a file is uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from host.declaration.nodes import Field

HEAD: Final = 8192  # bytes that are looked at
BINARY: Final = "application/octet-stream"
PLAIN: Final = "text/plain"
PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
_ALIASES: Final = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/apng": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-icon": "image/vnd.microsoft.icon", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav", "audio/mp3": "audio/mpeg", "audio/x-mpeg": "audio/mpeg", "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4", "application/x-zip-compressed": "application/zip", "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf", "text/xml": "application/xml", "audio/x-flac": "audio/flac",
    "application/x-rar-compressed": "application/vnd.rar", "application/x-rar": "application/vnd.rar",
    "text/rtf": "application/rtf", "application/ogg": "audio/ogg", "application/x-bzip": "application/x-bzip2",
}  # fmt: skip
_FAMILIES: Final = (  # one container, of which the first bytes do not tell what is in it
    re.compile(r"(audio|video)/(mp4|quicktime|x-m4v|3gpp|3gpp2)"),
    re.compile(r"(audio|video)/(webm|x-matroska)"),
    re.compile(r"(audio|video)/(ogg|opus)"),
    re.compile(r"image/(heic|heif|avif)"),
    re.compile(r"application/(msword|vnd\.ms-(excel|powerpoint|outlook)|x-ole-storage)"),
)
_ZIPPED: Final = re.compile(
    r"application/(zip|vnd\.openxmlformats-.*|vnd\.oasis\.opendocument\..*|epub\+zip|java-archive|vnd\.android\..*|x-.*)"
)
_TEXTUAL: Final = re.compile(
    r"text/(?!html|xml).*|application/(json|.*\+json|csv|yaml|x-yaml|toml|sql|javascript|x-sh)"
)
_MARKUP: Final = re.compile(
    rb"<(!doctype html|html|head|body|script|iframe|style|img|table|title|h1|div|font|br|p|a)[\s>/]",
    re.IGNORECASE,
)
_PAPER: Final = ("application/pdf", "application/rtf", "application/postscript")  # known by texts
_NAMED: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,80}")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SUFFIXES: Final = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/avif": ".avif",
    "image/svg+xml": ".svg", "application/pdf": ".pdf", "text/plain": ".txt", "text/csv": ".csv", "application/zip": ".zip",
    "application/json": ".json", "audio/mpeg": ".mp3", "video/mp4": ".mp4", "audio/wav": ".wav", "text/markdown": ".md",
}  # fmt: skip


class Forged(ValueError):
    """The content is something else than the sender says."""


def media_type(head: bytes, claimed: str | None, name: str) -> str:
    """The type of a file: what its content is, made precise by the claims where the content leaves it open.

    Raises Forged when the media type sent with it, or the ending of its name, says something that the content is not.
    """
    found = sniffed(head)
    for claim in _claims(claimed, name):
        if claim == found or _is_broader(found, claim):
            continue
        if not _leaves_open(found, claim):
            raise Forged(f"the content is {found}, but it was sent as {claim}")
        found = claim
    return found


def sniffed(head: bytes) -> str:
    """The media type of the first bytes: `text/plain` for any text, `application/octet-stream` for what nobody knows."""
    import filetype

    guessed = filetype.guess_mime(head) if head else None
    known = _ALIASES.get(guessed, guessed) if guessed else None
    if known in _PAPER or not _is_text(head):
        return known or BINARY
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n\f")
    if _MARKUP.match(start) or start[:4] == b"<!--":
        return "text/html"
    if start[:4].lower() == b"<svg" or (start[:5] == b"<?xml" and b"<svg" in start.lower()):
        return "image/svg+xml"
    return "application/xml" if start[:5] == b"<?xml" else PLAIN


def accepts(field: Field, media: str) -> bool:
    """Whether a file field takes this type."""
    wanted = field.types or (PICTURES if field.type == "image" else ())
    if not wanted:
        return True
    major = media.partition("/")[0]
    return any(media == _ALIASES.get(it, it) or it == f"{major}/*" for it in wanted)


def accepted(field: Field) -> Sequence[str]:
    """The declared types of a field, for its documentation and the error of a wrong one."""
    return field.types or (PICTURES if field.type == "image" else ("*/*",))


def suffix(media: str) -> str:
    """The ending of a stored file's own name."""
    return _SUFFIXES.get(media, "")


def by_name(name: str) -> str | None:
    """The media type that the ending of a name stands for; the operating system is not asked."""
    if "." not in name:
        return None
    found = _endings().get("." + name.rpartition(".")[2].lower())
    return _ALIASES.get(found, found) if found else None


def _claims(claimed: str | None, name: str) -> Iterator[str]:
    sent = (claimed or "").partition(";")[0].strip().lower()
    if _NAMED.fullmatch(sent) and sent not in (
        BINARY,
        "application/x-download",
        "binary/octet-stream",
        "application/force-download",
    ):
        yield _ALIASES.get(sent, sent)
    named = by_name(name)
    if named is not None and named != BINARY:
        yield named


def _is_broader(found: str, claim: str) -> bool:
    """Whether what is known says all of the claim, and more."""
    return (
        (claim == PLAIN and _TEXTUAL.fullmatch(found) is not None)
        or (claim == "application/zip" and _ZIPPED.fullmatch(found) is not None)
        or (claim == "application/xml" and found.endswith("+xml"))
    )


def _leaves_open(found: str, claim: str) -> bool:
    """Whether a file of which only `found` is known may be what is claimed."""
    if found == PLAIN:
        return _TEXTUAL.fullmatch(claim) is not None
    if found == "application/zip":
        return _ZIPPED.fullmatch(claim) is not None
    if found == BINARY:
        return claim not in _told_by_content() and not claim.startswith(("text/", "image/"))
    if found == "text/html":
        return claim == "text/markdown"  # which may begin with a tag
    return any(family.fullmatch(found) and family.fullmatch(claim) for family in _FAMILIES)


def _is_text(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    if _CONTROL.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) >= HEAD and error.start > len(head) - 4  # cut within a character
    return True


@lru_cache(maxsize=1)
def _told_by_content() -> frozenset[str]:
    import filetype

    known = {str(kind.mime) for kind in filetype.types}
    return frozenset(_ALIASES.get(kind, kind) for kind in known)


@lru_cache(maxsize=1)
def _endings() -> dict[str, str]:
    import mimetypes

    common = {".md": "text/markdown", ".webp": "image/webp", ".avif": "image/avif", ".csv": "text/csv"}
    return {**mimetypes.MimeTypes(filenames=()).types_map[True], **common}
