"""What the documents show is what happens: their commands are run against a server that really listens."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of
from tests.docs.matching import matches, occurs
from tests.docs.session import Session, missing_tool

RUN = (
    "README.md",
    "docs/tutorial.md",
    "docs/http.md",
    "docs/access.md",
    "docs/audit.md",
    "docs/events.md",
    "docs/files.md",
    "docs/hooks.md",
    "docs/jobs.md",
    "docs/operations.md",
    "docs/plugins.md",
    "docs/protection.md",
    "docs/schedules.md",
    "docs/search.md",
    "docs/sync.md",
    "docs/migrations.md",
    "docs/transfer.md",
    "docs/adopting.md",
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", RUN)
def test_commands_print_what_documents_say(name: str, tmp_path: Path) -> None:
    if (tool := missing_tool()) is not None:
        pytest.skip(f"{tool} is not installed")
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(ROOT / "resources.yaml", site)
    session = Session(site, name)
    try:
        for block in blocks_of((ROOT / name).read_text(encoding="utf-8")):
            session.run(block)
    finally:
        session.close()


def test_ellipsis_stands_for_anything() -> None:
    assert matches('{"id": "…", "n": 1}', '{"id":"4f1","n":1}\n')
    assert not matches('{"id": "…", "n": 2}', '{"id":"4f1","n":1}\n')
    assert not matches("one", "one two")
    assert occurs("one", "one two")
