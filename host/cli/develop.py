"""`hostwright run --dev`: a supervisor that watches YAML and Python and replaces the serving process.

A change is checked first. While it has problems they are shown and the last good process goes on serving; when it has none, a
new process is started on the same port, and the old one stops once the new one listens.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from watchfiles import Change, DefaultFilter, watch

from host.cli.servers import Listening

START_SECONDS = 30.0


class DeclarationFilter(DefaultFilter):
    """YAML and Python, but not what the run itself writes, and no tests."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def __call__(self, change: Change, path: str) -> bool:
        folders = Path(path).relative_to(self.root).parts
        return (
            path.endswith((".yaml", ".yml", ".py"))
            and not {"var", "migrations", "tests"} & set(folders)
            and super().__call__(change, path)
        )


def develop(root: Path, listening: Listening) -> None:
    """Serve and reload until Ctrl+C."""
    serving: subprocess.Popen[bytes] | None = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is asked to end takes its server along
    try:
        serving = _replaced(serving, root, listening)
        for _ in watch(root, watch_filter=DeclarationFilter(root), step=100):
            serving = _replaced(serving, root, listening)
    except KeyboardInterrupt:
        pass  # the way to stop it, whatever it is doing
    finally:
        _stop(serving)


def _replaced(
    serving: subprocess.Popen[bytes] | None, root: Path, listening: Listening
) -> subprocess.Popen[bytes] | None:
    """The process of the present declarations, or the old one when they are broken."""
    checked = subprocess.run([sys.executable, "-m", "host.cli", "check", "--root", str(root)], check=False)
    if checked.returncode != 0:
        waiting = "the last good version goes on serving" if serving is not None else "nothing is served yet"
        click.secho(f"Not reloaded: {waiting}. Waiting for the next change.", fg="yellow", err=True)
        return serving
    started = _started(root, listening)
    if started is None:
        return serving
    if serving is not None:
        _stop(serving)
        click.echo("Reloaded: the new version serves.")
    return started


def _started(root: Path, listening: Listening) -> subprocess.Popen[bytes] | None:
    with TemporaryDirectory(prefix="hostwright-") as folder:
        ready = Path(folder) / "ready"
        command = [
            sys.executable, "-m", "host.cli", "run", "--root", str(root), "--host", listening.host,
            "--port", str(listening.port), "--ready-file", str(ready),
        ]  # fmt: skip
        process = subprocess.Popen(command)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if ready.exists():
                return process
            time.sleep(0.05)
    _stop(process)
    click.secho("The new version did not start. Waiting for the next change.", fg="yellow", err=True)
    return None


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
