"""Every night, files that no row of a board has any more leave the storage; those of rows stay."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from host.jobs.draining import drain
from host.jobs.scheduling import Scheduler
from host.storage import Missing
from host.storage.paths import new_path
from plugins.investigations.tests.board import Board

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


def aged(folder: Path) -> None:
    """Every file is old enough to be looked at."""
    for path in folder.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def test_orphaned_files_are_swept(board: Board) -> None:
    app = board.member.station.app
    storage = app.runtime.storage
    entity = f"{board.path}/entities/{board.entity()}"
    files = {"file": (BytesIO(b"%PDF-1.4\nreport\n%%EOF"), "report.pdf")}
    assert board.member.send("POST", f"{entity}/attachments", data=files).status == 201
    draft = storage.begin(new_path("attachments", ".pdf"))
    draft.write(b"of a row that the database lost")
    orphan = draft.finish().path
    aged(app.settings.root / "var" / "files")
    Scheduler(app.runtime).start("investigations.nightly_sweep")
    ran = [it for it in drain(app.runtime) if it.name == "host.sweep_files"]
    assert [it.outcome for it in ran] == ["done"]
    with pytest.raises(Missing):
        storage.size(orphan)
    (row,) = board.viewer.get(f"{entity}/attachments")["attachments"]
    assert board.viewer.send("GET", row["file_url"]).body == b"%PDF-1.4\nreport\n%%EOF"
