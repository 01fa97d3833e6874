"""The workers that `hostwright run` starts: `hostwright worker` as a child, which ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from host.settings import Settings

STOP_SECONDS = 15


class WorkersBeside:
    """Begun when the server listens, so that nobody waits for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start them, unless the settings say no."""
        if not self._settings.jobs.embedded:
            return
        root: Path = self._settings.root
        command = [
            sys.executable, "-m", "host.cli", "worker", "--root", str(root), "--scheduler",
            "--concurrency", str(self._settings.jobs.embedded_workers),
            "--embedded", self._settings.embedded_url, "--parent", str(os.getpid()),
        ]  # fmt: skip
        # In a session of its own: Ctrl+C reaches this process alone, which then says so once.
        self._process = subprocess.Popen(command, start_new_session=True)

    def stop(self) -> None:
        """Stop them. The server's own forks come by here as well, and leave them alone."""
        if self._process is None or os.getpid() != self._owner:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
