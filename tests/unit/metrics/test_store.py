"""Numbers that processes keep together: none is lost with a process, and none is told of one that is gone."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.errors import ConfigurationError
from host.metrics import FileStore, MemoryStore, Meters
from host.metrics.meters import key_of

REQUEST = key_of("hostwright_http_requests_total", "", ("GET", "/api/notes", "200"))
TAKEN = key_of("hostwright_database_connections", "", ("writing", "taken"))
COUNTING = """
import os, sys
from pathlib import Path
from host.metrics import FileStore, Meters
meters = Meters(FileStore(Path(sys.argv[1])))
for _ in range(int(sys.argv[2])):
    meters.request("GET", "/api/notes", 200, 0.02)
meters.connections("writing", 3, 1)
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path / "m")
    yield store
    store.close()


class Counting:
    """A process that has counted so many requests, and lives."""

    def __init__(self, folder: Path, count: int) -> None:
        program = [sys.executable, "-c", COUNTING, str(folder), str(count)]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"done\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_killed_process_keeps_its_counts(tmp_path: Path, store: FileStore) -> None:
    meters = Meters(store)
    meters.request("GET", "/api/notes", 200, 0.3)
    first, second = Counting(tmp_path / "m", 5), Counting(tmp_path / "m", 7)
    values = meters.values()
    assert (values[REQUEST], values[TAKEN]) == (13, 6)
    first.kill()
    values = meters.values()
    assert (values[REQUEST], values[TAKEN]) == (13, 3)  # what it had counted stays, its connections are gone
    third = Counting(tmp_path / "m", 1)
    assert meters.values()[REQUEST] == 14
    assert sorted(path.name for path in (tmp_path / "m").glob("*.db")) == ["0.db", "1.db", "2.db"]
    second.kill(), third.kill()


def test_first_process_begins_at_nothing(tmp_path: Path) -> None:
    Counting(tmp_path / "m", 5).kill()
    store = FileStore(tmp_path / "m")
    assert Meters(store).values() == {}
    store.close()


def test_fork_counts_for_itself(store: FileStore) -> None:
    meters = Meters(store)
    meters.request("GET", "/api/notes", 200, 0.3)
    child = os.fork()
    if child == 0:
        meters.request("GET", "/api/notes", 200, 0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    meters.request("GET", "/api/notes", 200, 0.3)
    assert meters.values()[REQUEST] == 3


def test_full_disk_harms_no_request(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    meters = Meters(store)
    for _ in range(3):
        meters.request("GET", "/api/notes", 200, 0.3)
    assert meters.values()[REQUEST] == 3
    assert caplog.text.count("this process counts for itself") == 1


def test_folder_is_for_its_user_alone(tmp_path: Path, store: FileStore) -> None:
    store.open()
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "m" / "0.db").stat().st_mode & 0o777 == 0o600


def test_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("")
    with pytest.raises(ConfigurationError, match="metrics cannot be kept in"):
        FileStore(tmp_path / "m")


def test_memory_is_of_one_app() -> None:
    first, second = Meters(MemoryStore()), Meters(MemoryStore())
    first.request("GET", "/api/notes", 200, 0.3)
    assert (first.values()[REQUEST], second.values()) == (1, {})
