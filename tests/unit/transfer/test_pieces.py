"""Lines and documents out of a source that is read in pieces."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.transfer import pieces
from host.transfer.pieces import Malformed, documents, lines


def in_pieces(data: bytes, size: int) -> Callable[[int], bytes]:
    """A source that answers few bytes at a time."""
    source = BytesIO(data)
    return lambda most: source.read(min(size, most))


@given(st.binary(max_size=40).map(lambda data: data.replace(b"\xef", b"x")), st.integers(1, 7))
def test_lines_are_those_of_whole(data: bytes, size: int) -> None:
    expected = [line + b"\n" for line in data.split(b"\n")[:-1]] + (
        [data.split(b"\n")[-1]] if data.split(b"\n")[-1] else []
    )
    assert list(lines(in_pieces(data, size))) == expected


@pytest.mark.parametrize("size", [3, 4, 1000])
def test_byte_order_mark_is_dropped(size: int) -> None:
    assert list(lines(in_pieces(b"\xef\xbb\xbfa\nb", size))) == [b"a\n", b"b"]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"}{\\""}\n\n{"b":{"c":[{}]}}\n',
        b'[{"a":"}{\\""},\n\n{"b":{"c":[{}]}}]', b' [\n{"a":"}{\\""} ,\n{"b":{"c":[{}]}}\n]\n',
    ],
)  # fmt: skip
def test_documents_in_any_layout(text: bytes, size: int) -> None:
    found = [document for _, document in documents(in_pieces(text, size))]
    assert found == [b'{"a":"}{\\""}', b'{"b":{"c":[{}]}}']


@pytest.mark.parametrize("size", [1, 1000])
def test_documents_know_their_line(size: int) -> None:
    text = b'[\n{\n"a": 1\n},\n\n{"b": 2}, {"c": 3}\n]'
    assert [line for line, _ in documents(in_pieces(text, size))] == [2, 6, 6]


@pytest.mark.parametrize(
    "text", [b"x", b'{"a":1} x', b'{"a":1} "b" {"c":1}', b'{"a":', b'{"a":"', b"{}}", b'"{}"']
)
def test_what_is_no_document_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        list(documents(in_pieces(text, 1000)))


@pytest.mark.parametrize("reader", [lines, documents])
def test_endless_record_is_malformed(monkeypatch: pytest.MonkeyPatch, reader: Callable[..., object]) -> None:
    monkeypatch.setattr(pieces, "LONGEST_RECORD", 100)
    with pytest.raises(Malformed, match="at most 100 bytes"):
        list(reader(in_pieces(b'{"a": "' + b"x" * 1000, 50)))  # type: ignore[call-overload]
