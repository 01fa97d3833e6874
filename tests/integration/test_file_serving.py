"""Large files through real servers: what they cost, and what is left of uploads that break off."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.uploading import HEAD, PIECE, TAIL, Boxes, boxes

MOST_SECONDS = 0.005  # of processor time for each megabyte
MOST_GROWTH = 24.0  # megabytes
LIMITED = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (12 << 20, 12 << 20));"
    "os.execv(sys.executable, [sys.executable, '-m', 'host.cli', *sys.argv[1:]])"
)


@pytest.fixture(scope="module", params=["gunicorn", "granian"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    with boxes(tmp_path_factory.mktemp("boxes"), request.param) as found:
        yield found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check_cost(site: Boxes, megabytes: int) -> None:
    """Warm, then measured: storing by itself and in a form, and reading."""
    assert (site.put(2), site.put(2, as_form=True), site.get()) == (200, 200, 2 << 20)
    told = []
    for name, work in {
        "put": lambda: site.put(megabytes),
        "form": lambda: site.put(megabytes, as_form=True),
        "get": site.get,
    }.items():
        seconds, grown = site.spent(work)
        told.append(f"{name}: {seconds * 1000 / megabytes:.2f} ms/MB, {grown:.1f} MB")
        assert seconds / megabytes < MOST_SECONDS, told
        assert grown < MOST_GROWTH, told
    assert [path.stat().st_size for path in site.stored()] == [megabytes << 20]
    print("\n" + "; ".join(told))


def test_large_files_take_no_memory(site: Boxes) -> None:
    check_cost(site, 96)


@pytest.mark.drill
@pytest.mark.parametrize("megabytes", [200, 2048])
def test_largest_files_take_no_memory(site: Boxes, megabytes: int) -> None:
    check_cost(site, megabytes)


def test_upload_that_ends_early_leaves_nothing(site: Boxes) -> None:
    before = site.stored()
    for as_form in (False, True):
        connection = site.begin(20 << 20, as_form=as_form)
        for _ in range(3):
            connection.send(PIECE)
        wait_until(lambda: len(site.stored()) == len(before) + 1)
        connection.close()
        wait_until(lambda: site.stored() == before)


def test_chunked_bodies_have_to_tell_their_end(site: Boxes) -> None:
    """Servers differ in what they make of chunks that break off; a form has an end of its own."""
    before = site.stored()
    assert site.put_chunks([PIECE] * 2, "application/octet-stream") == 411
    cut = [HEAD, PIECE]
    assert site.put_chunks(cut, "multipart/form-data; boundary=b") == 400
    assert site.stored() == before
    assert site.put_chunks([*cut, TAIL], "multipart/form-data; boundary=b") == 200


def test_uploads_to_one_field_leave_one_file(site: Boxes) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(site.put, [3, 4, 5, 6]))
    assert statuses == [200] * 4
    sizes = [path.stat().st_size for path in site.stored()]
    assert len(sizes) == 1 and sizes[0] == site.get()


def test_killed_server_leaves_what_the_sweep_removes(tmp_path: Path) -> None:
    with boxes(tmp_path) as site:
        assert site.put(1) == 200
        connection = site.begin(20 << 20)
        for _ in range(3):
            connection.send(PIECE)
        wait_until(lambda: len(site.stored()) == 2)
        for process in site.processes():
            os.kill(process, signal.SIGKILL)
        connection.close()
    swept = site.command("files", "sweep", "--grace", "0").stdout
    assert swept.startswith("broken off: .drafts/") and "removed 1 files; 0 are missing" in swept
    assert [path.stat().st_size for path in site.stored()] == [1 << 20]


def test_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of a file stands for the full disk: the same call fails in the same place."""
    with boxes(tmp_path, "gunicorn", sys.executable, "-c", LIMITED) as site:
        assert site.put(2) == 200
        connection = site.begin(20 << 20)
        for _ in range(20):
            try:
                connection.send(PIECE)
            except OSError:  # it has been answered already
                break
        try:
            answer = connection.getresponse()
            assert answer.status == 507
            assert b"insufficient_storage" in answer.read()
        finally:
            connection.close()
        assert [path.stat().st_size for path in site.stored()] == [2 << 20]
        assert site.get() == 2 << 20
