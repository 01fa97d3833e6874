"""Cells of CSV: no formula, no loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.declaration.nodes import Field
from host.fields.forms import STANDARD, Form
from host.fields.kinds import kinds
from host.transfer.cells import FORMULA, NotACell, cell, guarded, read_cell, unguarded

KINDS = kinds()
ODD = st.text(alphabet="'=+-@\t\r\n\"ab,1", max_size=6)


@given(ODD)
def test_guarded_text_reads_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(ODD)
def test_no_cell_is_a_formula(text: str) -> None:
    said = guarded(text)
    assert said != ""
    assert not said.startswith(FORMULA) or said.lstrip("-").replace(".", "").isdecimal()


@pytest.mark.parametrize("text", ["O'Neil", "'tis", "-5", "-12.50", "plain"])
def test_ordinary_text_stays_plain(text: str) -> None:
    assert guarded(text) == text


def test_null_differs_from_empty_text() -> None:
    assert cell(None) == ""
    assert read_cell(cell(""), Field(type="string"), KINDS, STANDARD) == ""


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", "boolean", True), ("FALSE", "boolean", False), ("12", "integer", 12), ("-1.5", "float", -1.5),
        ("x", "integer", "x"), ("1.50", "decimal", "1.50"), ('{"a": [1]}', "json", {"a": [1]}), ("'=x", "text", "=x"),
        ("2026-01-01", "date", "2026-01-01"),
    ],
)  # fmt: skip
def test_cell_becomes_json_value(text: str, kind: str, value: object) -> None:
    assert read_cell(text, Field(type=kind), KINDS, STANDARD) == value


def test_wire_units_become_numbers() -> None:
    form = Form(datetime="epoch", duration="seconds")
    assert read_cell("1700000000", Field(type="datetime"), KINDS, form) == 1700000000
    assert read_cell("90", Field(type="duration"), KINDS, form) == 90


@pytest.mark.parametrize("text", ["{", "nul", "[" * 100_000])
def test_malformed_json_cell_is_refused(text: str) -> None:
    with pytest.raises(NotACell, match="JSON"):
        read_cell(text, Field(type="json"), KINDS, STANDARD)
