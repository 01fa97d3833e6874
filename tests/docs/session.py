"""A reader who does what a document says: one shell, one folder, and a server that really listens.

The document's port 8000 becomes a free one on the way in and 8000 again on the way out; nothing else is changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from tests.docs.blocks import Block, Command, commands_of
from tests.docs.matching import matches, occurs
from tests.support.serving import free_port

END = "--end-of-command--"
START_SECONDS = 60.0
# Documents about what workers do; the others' sites run without them, which begins sooner.
OF_WORKERS = ("README.md", "docs/events.md", "docs/jobs.md", "docs/operations.md", "docs/schedules.md")


class Session:
    """Runs the blocks of one document. Raises AssertionError with the place where document and program differ."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.port = free_port()
        self.log = folder.parent / "server.log"
        self._log: IO[bytes] = self.log.open("wb")
        self._seen = 0
        self.server: subprocess.Popen[bytes] | None = None
        self.shell = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=_environment(), text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, block: Block) -> None:
        """Do what a block says."""
        if block.title is not None:
            self._write(block.title, block.text)
        elif (block.language, block.words) == ("console", ("server",)):
            self._serve(commands_of(block)[0])
        elif (block.language, block.words) == ("text", ("server",)):
            self._await(block.text, block.line)
        elif block.language == "console":
            for command in commands_of(block):
                self._check(command)

    def close(self) -> None:
        """Stop what was started."""
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        self._log.close()
        assert self.shell.stdin is not None and self.shell.stdout is not None
        self.shell.stdin.close()
        self.shell.wait(timeout=10)
        self.shell.stdout.close()

    def _write(self, title: str, text: str) -> None:
        path = Path(self._printed("pwd").strip()) / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _check(self, command: Command) -> None:
        printed = self._printed(command.text)
        assert matches(command.expected, printed), (
            f"{self.name}:{command.line}: {command.text}\n-- printed:\n{printed}\n-- but the document says:\n{command.expected}"
            f"\n-- the server said:\n{self._server_output()[-3000:]}"
        )

    def _printed(self, command: str) -> str:
        assert self.shell.stdin is not None and self.shell.stdout is not None
        self.shell.stdin.write(f"{self._inward(command)}\necho; echo {END}\n")
        self.shell.stdin.flush()
        lines: list[str] = []
        for line in self.shell.stdout:
            if line.rstrip("\n") == END:
                break
            lines.append(line)
        return "".join(lines).replace(f":{self.port}", ":8000")

    def _serve(self, command: Command) -> None:
        words = self._inward(command.text).split()
        words = (
            ["hostwright", "run"] if words == ["make", "run"] else words
        )  # this checkout has its environment
        folder = self._printed("pwd").strip()
        workers = {"HOSTWRIGHT_RUN_WORKERS": "on" if self.name in OF_WORKERS else "off"}
        self.server = subprocess.Popen(
            [*words, "--port", str(self.port)], cwd=folder, env=_environment() | workers,
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._await(command.expected, command.line)

    def _await(self, expected: str, line: int) -> None:
        """Wait until the server has printed this, behind what has been waited for before."""
        deadline = time.monotonic() + START_SECONDS
        while not occurs(expected, printed := self._server_output()[self._seen :]):
            is_alive = self.server is not None and self.server.poll() is None
            where = (
                f"{self.name}:{line}: the server printed\n{printed}\n-- but the document says:\n{expected}"
            )
            assert is_alive and time.monotonic() < deadline, where
            time.sleep(0.05)
        self._seen = len(self._server_output())

    def _server_output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace").replace(f":{self.port}", ":8000")

    def _inward(self, command: str) -> str:
        return command.replace(":8000", f":{self.port}")


def _environment() -> dict[str, str]:
    """The reader's environment: the commands of this one, and nothing that is meant for the host."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSTWRIGHT_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}


def missing_tool() -> str | None:
    """What the documents' commands need and this machine lacks."""
    return next((tool for tool in ("bash", "curl") if shutil.which(tool) is None), None)
