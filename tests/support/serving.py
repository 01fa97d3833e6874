"""Running the real command in a process of its own, on a free port, and talking to it over TCP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
NO_WORKERS = {"HOSTWRIGHT_RUN_WORKERS": "off"}  # but where a test wants them


@dataclass
class Served:
    """A running server with what it has said so far."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        """Everything that it printed."""
        return self.log.read_text()

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until it has printed a text so many times; AssertionError with its log when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.said().count(text) >= times:
                return
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not printed:\n{self.said()}")

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """One request: the status, and the document or text in the body."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read())

    def sign_up(self, name: str = "ann") -> str:
        """The token of a new account."""
        body = {"email": f"{name}@example.org", "password": "correct horse battery", "name": name}
        status, signed_in = self.ask("POST", "/api/auth/register", body)
        assert status == 201, signed_in
        return str(signed_in["token"])


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()


@contextmanager
def served(
    folder: Path, *command: str, environ: Mapping[str, str] | None = None, programs: Sequence[str] = ()
) -> Iterator[Served]:
    """`hostwright COMMAND --port …` in a folder, until the block ends. `programs` replaces how the command is found."""
    port = free_port()
    log = folder / "server.log"
    full = [*(programs or (sys.executable, "-m", "host.cli")), *command, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            full,
            cwd=folder,
            env={**NO_WORKERS, **os.environ, **(environ or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    found = Served(process, port, log)
    try:
        _await_port(found)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def serving(folder: Path, yaml: str, environ: Mapping[str, str], *options: str) -> Iterator[Served]:
    """`hostwright serve` of a site with its tables on SQLite, without any migration, until the block ends."""
    from host.testing.sites import SECRET, Site  # only for this

    (folder / "resources.yaml").write_text(yaml)
    url = f"sqlite:///{folder / 'served.db'}"
    Site.make(folder, url).close()
    given = {"HOSTWRIGHT_SECRET": SECRET, "HOSTWRIGHT_DATABASE_URL": url, **environ}
    with served(folder, "serve", *options, environ=given) as found:
        found.ask("GET", "/health")
        yield found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(found: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and found.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", found.port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server did not start:\n{found.said()}")
