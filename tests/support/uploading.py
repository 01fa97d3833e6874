"""A site with one file field behind a real server, big bodies sent to it piece by piece, and what its processes use."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.serving import Served, served

SECRET = {"HOSTWRIGHT_SECRET": "of-the-tests-" * 4, "HOSTWRIGHT_MAIL": "off"}
SITE = """grammar: 1
site: {name: Test}
resources:
  box:
    plural: boxes
    mixins: [owned]
    fields: {content: {type: file, max: 3GB}, title: string}
    access: owner
"""
PIECE = os.urandom(1 << 20)
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="content"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
TAIL = b"\r\n--b--\r\n"


@dataclass
class Boxes:
    """The running site, with an account and a row to store a file in."""

    site: Served
    folder: Path
    token: str = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.token = self.site.sign_up()
        status, row = self.site.ask("POST", "/api/boxes", {}, self.token)
        assert status == 201, row
        self.path = f"/api/boxes/{row['id']}/content"

    def put(self, megabytes: int, *, as_form: bool = False) -> int:
        """Store so many megabytes; the status."""
        connection = self.begin(megabytes << 20, as_form=as_form)
        for _ in range(megabytes):
            connection.send(PIECE)
        if as_form:
            connection.send(TAIL)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def put_chunks(self, pieces: list[bytes], media: str) -> int:
        """Send a body in chunks, which says nothing of its length; the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media}
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may be answered before all is sent
                connection.request("PUT", self.path, body=iter(pieces), headers=headers, encode_chunked=True)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def begin(self, size: int, *, as_form: bool = False) -> http.client.HTTPConnection:
        """A request whose body is still to come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=300)
        connection.putrequest("PUT", self.path)
        connection.putheader("Authorization", f"Bearer {self.token}")
        media = "multipart/form-data; boundary=b" if as_form else "application/octet-stream"
        connection.putheader("Content-Type", media)
        connection.putheader("Content-Length", str(size + (len(HEAD) + len(TAIL) if as_form else 0)))
        connection.endheaders()
        if as_form:
            connection.send(HEAD)
        return connection

    def get(self) -> int:
        """Read the file to its end; how many bytes came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=300)
        connection.request("GET", self.path, headers={"Authorization": f"Bearer {self.token}"})
        answer, total = connection.getresponse(), 0
        assert answer.status == 200
        while piece := answer.read(1 << 20):
            total += len(piece)
        connection.close()
        return total

    def stored(self) -> list[Path]:
        """Every file in the storage, drafts too."""
        return [path for path in (self.folder / "var" / "files").rglob("*") if path.is_file()]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the same site."""
        return subprocess.run(
            [sys.executable, "-m", "host.cli", *words], cwd=self.folder, env={**os.environ, **SECRET},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def spent(self, work: Callable[[], Any]) -> tuple[float, float]:
        """Seconds of processor time, and megabytes by which any process of the server has grown at its highest."""
        before, peaks = self._seconds(), self._peaks()
        work()
        grown = max(peak - peaks.get(process, peak) for process, peak in self._peaks().items())
        return self._seconds() - before, grown

    def processes(self) -> list[int]:
        """The server's process and all below it."""
        found = [self.site.process.pid]
        for process in found:
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    def _seconds(self) -> float:
        ticks = 0
        for process in self.processes():
            values = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(values[11]) + int(values[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _peaks(self) -> dict[int, float]:
        found = {}
        for process in self.processes():
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found[process] = next(int(it.split()[1]) for it in lines if it.startswith("VmHWM:")) / 1024
        return found


@contextmanager
def boxes(folder: Path, server: str = "gunicorn", *programs: str) -> Iterator[Boxes]:
    """The site behind one of the servers; `programs` come before the command."""
    folder.mkdir(exist_ok=True)
    (folder / "resources.yaml").write_text(SITE)
    command: tuple[str, ...] = ("run",)
    if server == "granian":
        with served(folder, "run", environ=SECRET):  # makes the tables
            command = ("serve", "--server", "granian", "--workers", "1")
    with served(folder, *command, environ=SECRET, programs=programs) as site:
        yield Boxes(site, folder)
