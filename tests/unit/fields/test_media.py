"""What files are by their first bytes, and whether senders' words about them are believed; names that are made safe."""

from __future__ import annotations

import pytest

from host.declaration.nodes import Field
from host.fields.files import plain_name
from host.fields.media import Forged, accepts, media_type
from tests.support.pictures import picture

PNG, JPEG = picture(), picture("JPEG")
ZIP = b"PK\x03\x04" + bytes(60)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
OPAQUE = b"\x00\x01\x02\x03" * 10


@pytest.mark.parametrize(
    "head, claimed, name, expected",
    [
        (PNG, "image/png", "a.png", "image/png"),
        (PNG, None, "a", "image/png"),
        (PNG, "application/octet-stream", "", "image/png"),
        (JPEG, "image/jpg", "a.JPEG", "image/jpeg"),
        (picture("WEBP"), "image/webp", "a.webp", "image/webp"),
        (b"hello", "text/plain; charset=utf-8", "a.txt", "text/plain"),
        (b"BMW builds cars", None, "a.txt", "text/plain"),
        (b"a,b\n1,2", "text/csv", "a.csv", "text/csv"),
        (b"a,b\n1,2", "text/plain", "a.csv", "text/csv"),
        (b'{"a": 1}', "application/json", "a.json", "application/json"),
        (b"# Title", "text/markdown", "a.md", "text/markdown"),
        (b"<p align=center>", "text/markdown", "a.md", "text/markdown"),
        (b"<!DOCTYPE html><html>", "text/html", "a.html", "text/html"),
        (b"<?xml version='1.0'?><svg/>", "image/svg+xml", "a.svg", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "text/xml", "a.xml", "application/xml"),
        (b"%PDF-1.7\n", "application/pdf", "a.pdf", "application/pdf"),
        (ZIP, "application/x-zip-compressed", "a.zip", "application/zip"),
        (ZIP, WORD, "a.docx", WORD),
        (MP4, "video/quicktime", "a.mov", "video/quicktime"),
        (OPAQUE, "application/x-own", "a.own", "application/x-own"),
        (OPAQUE, None, "a.bin", "application/octet-stream"),
        (b"MZ\x90\x00" + bytes(60), None, "a.bin", "application/x-msdownload"),
        (b"", "text/plain", "a.txt", "text/plain"),
    ],
)
def test_content_tells_the_type(head: bytes, claimed: str | None, name: str, expected: str) -> None:
    assert media_type(head, claimed, name) == expected


@pytest.mark.parametrize(
    "head, claimed, name",
    [
        (PNG, "image/jpeg", "a.png"),
        (PNG, "image/png", "a.jpg"),
        (PNG, None, "a.html"),
        (b"<html><script>", "text/plain", "a.txt"),
        (b"<svg onload=alert(1)>", "image/png", "a.png"),
        (b"\xef\xbb\xbf  <script>alert(1)</script>", "text/csv", "a.csv"),
        (OPAQUE, "image/png", "a.png"),
        (OPAQUE, "text/plain", "a.txt"),
        (OPAQUE, "application/pdf", "a.pdf"),
        (b"MZ\x90\x00" + bytes(60), "image/png", "a.png"),
        (b"hello", "application/pdf", "a.pdf"),
        (b"hello", "text/html", "a.html"),
        (ZIP, "image/png", "a.png"),
        (b"%PDF-1.7\n", "text/plain", "a.txt"),
        (b"", "image/png", "a.png"),
    ],
)
def test_forged_types_are_seen(head: bytes, claimed: str | None, name: str) -> None:
    with pytest.raises(Forged, match="but it was sent as"):
        media_type(head, claimed, name)


def test_texts_may_be_cut_within_a_character() -> None:
    text = ("é" * 5000).encode()[:8191] + b"\xc3"
    assert media_type(text[:8192], None, "") == "text/plain"
    assert media_type(text[:100] + b"\xff" + text[101:8192], None, "") == "application/octet-stream"


def test_declared_types_decide() -> None:
    papers = Field(type="file", types=("application/pdf", "image/*"))
    assert [accepts(papers, it) for it in ("application/pdf", "image/png", "text/plain")] == [
        True,
        True,
        False,
    ]
    assert [accepts(Field(type="image"), it) for it in ("image/png", "image/svg+xml", "image/tiff")] == [
        True,
        False,
        False,
    ]
    assert accepts(Field(type="file"), "application/x-anything")


@pytest.mark.parametrize(
    "given, expected",
    [
        (None, "file"), ("", "file"), ("..", "file"), ("a/b/c.txt", "c.txt"), ("c:\\x\\y.txt", "y.txt"),
        ("  a   b .txt ", "a b .txt"), ("con\x07trol.txt", "control.txt"), ("\ud800.txt", "txt"), ("a\u202etxt.exe", "atxt.exe"),
        ('a"b<c>.txt', "abc.txt"), ("x" * 500, "x" * 200),
    ],
)  # fmt: skip
def test_names_are_plain(given: str | None, expected: str) -> None:
    assert plain_name(given) == expected
