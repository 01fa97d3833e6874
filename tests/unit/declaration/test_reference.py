"""The language reference says what the grammar is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from host.cli.reference import filled, main
from host.declaration.nodes import Declaration
from host.declaration.reference import constructs, named_in

LANGUAGE = Path(__file__).parents[3] / "docs" / "language.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", LANGUAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_tables_are_those_of_the_grammar() -> None:
    document = LANGUAGE.read_text(encoding="utf-8")
    assert filled(document) == document, "run: python -m host.cli.reference docs/language.md"


def test_every_construct_has_a_table() -> None:
    assert sorted(named_in(LANGUAGE.read_text(encoding="utf-8"))) == sorted([*constructs(), "field types"])


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_the_reference_link(block: str, declare: Callable[..., Declaration]) -> None:
    assert "demo" in {
        name.partition(".")[0] for name in (*declare(block).resources, *declare(block).endpoints)
    }


def test_tables_are_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "some.md"
    path.write_text("<!-- table: WirePage -->\nold\n<!-- end -->\n")
    main(path)
    assert "| `unpaged` | whole number |" in path.read_text()
