"""Importing and exporting many rows: the memory does not grow with them. A million in `make drill`, 20,000 in `make test`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from host.testing.sites import Site

FEW = 5_000
MOST_GROWTH = 16 * 1024  # KiB; the rows themselves take a multiple of it
ROWS_PER_SECOND = 3_000  # of processor time, so that a busy machine makes no difference
SITE = """
grammar: 1
site: {name: Drill}
resources:
  reading:
    mixins: [owned, stamped]
    fields:
      name: {type: string, required: true}
      number: integer
      price: {type: decimal, min: 0}
      done: {type: boolean, default: false}
      day: date
      at: datetime
      note: text
      more: json
    query: {sort: [number], filter: [done]}
    access: owner
"""


@dataclass(frozen=True)
class Run:
    """What one command took."""

    peak: int
    processor: float
    seconds: float


@dataclass(frozen=True)
class Drill:
    """A site with a database of its own, whose commands run in processes of their own."""

    root: Path
    database_url: str

    def run(self, *arguments: str) -> Run:
        """Run one command; its use of the machine is the last line of its stderr."""
        environ = {**os.environ, "HOSTWRIGHT_DATABASE_URL": self.database_url}
        command = [
            sys.executable,
            str(Path(__file__).with_name("peak.py")),
            *arguments,
            "--root",
            str(self.root),
        ]
        started = time.perf_counter()
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        peak, processor = done.stderr.split()[-2:]
        return Run(int(peak), float(processor), time.perf_counter() - started)


@pytest.fixture
def drill(tmp_path: Path, database_url: str) -> Iterator[Drill]:
    (tmp_path / "resources.yaml").write_text(SITE)
    site = Site.make(tmp_path, database_url)
    owner = site.account("ann")
    (tmp_path / "owner").write_text(str(owner.id))
    yield Drill(tmp_path, database_url)
    site.close()


def written(path: Path, rows: int, owner: str) -> Path:
    """A file of that many different rows."""
    with path.open("wb") as file:
        for number in range(rows):
            row = {
                "name": f"reading {number}", "number": number, "price": f"{number % 1000}.25", "done": number % 3 > 0,
                "day": f"2026-01-{number % 28 + 1:02}", "at": f"2026-01-01T10:{number % 60:02}:00Z",
                "note": f"note of {number} {'x' * 100}", "more": {"a": [number, 2, 3]}, "owner": owner,
            }  # fmt: skip
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return path


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.drill)])
def test_memory_stays_whatever_the_rows(drill: Drill, rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    owner = (drill.root / "owner").read_text()
    few = drill.run("import", "reading", str(written(drill.root / "few.ndjson", FEW, owner)))
    few_out = drill.run("export", "reading", "-o", str(drill.root / "few.csv"))
    many = drill.run("import", "reading", str(written(drill.root / "many.ndjson", rows, owner)))
    many_out = drill.run("export", "reading", "-o", str(drill.root / "many.csv"), "--query", "sort=-number")
    with (drill.root / "many.csv").open("rb") as file:
        assert sum(1 for _ in file) == FEW + rows + 1
    with capsys.disabled():
        for name, run, little in (("import", many, few), ("export", many_out, few_out)):
            print(
                f"\n{name} of {rows} rows: {rows / run.seconds:.0f} rows/s, {rate(run, little, rows):.0f} rows per processor"
                f" second, peak {run.peak // 1024} MiB"
            )
    assert many.peak - few.peak < MOST_GROWTH
    assert many_out.peak - few_out.peak < MOST_GROWTH
    assert rate(many, few, rows) > ROWS_PER_SECOND


def rate(run: Run, few: Run, rows: int) -> float:
    """Rows in a second of processor time, without that of starting."""
    return (rows - FEW) / (run.processor - few.processor)
