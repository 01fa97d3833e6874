"""What starting costs, in CPU seconds: a command, an application that answers once, a declared resource."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.application import create_app
from host.settings import Settings, read_settings

RESOURCE = """
  thing_{number}:
    path: /api/things-{number}
    mixins: [owned, stamped, versioned]
    fields:
      title: {{type: string, max: 200, required: true}}
      status: {{type: enum, values: [open, done], default: open}}
      amount: decimal
      due_date: date
    query: {{filter: [status], sort: [due_date]}}
    access: owner
"""

ANSWER_ONCE = """
import io
from pathlib import Path
from host.application import create_app
from host.settings import read_settings

app = create_app(read_settings(Path(".")))
request = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/health/live", "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
}
statuses = []
b"".join(app.wsgi_app(request, lambda status, headers, error=None: statuses.append(status)))
assert statuses == ["200 OK"], statuses
"""


def site_of(resources: int, folder: Path) -> Path:
    """Write a site that declares so many resources of its own."""
    body = "".join(RESOURCE.format(number=number) for number in range(resources)) or " {}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resources.yaml").write_text(f"grammar: 1\nsite: {{name: Things}}\nresources:{body}")
    return folder


def cpu_of(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> float:
    """Return user and system seconds of a command and all that it waited for; the least of three runs."""
    return min(_run(command, folder, {**os.environ, **(environment or {})}) for _ in range(3))


def _run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> float:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError((folder / "output").read_text())
    return usage.ru_utime + usage.ru_stime


def hostwright(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("hostwright")), *arguments]


def application() -> list[str]:
    """Return a command that makes the application of a site and answers one request with it."""
    return [sys.executable, "-c", ANSWER_ONCE]


def settings(folder: Path) -> dict[str, str]:
    """Return an environment in which a site can be served."""
    return {"HOSTWRIGHT_SECRET": "s" * 64, "HOSTWRIGHT_DATABASE_URL": f"sqlite:///{folder / 'boot.sqlite3'}"}


def making(site: Path, folder: Path) -> float:
    """Return the CPU seconds of making an application in this process; the least of three times."""
    return min(_make(read_settings(site, settings(folder))) for _ in range(3))


def _make(site: Settings) -> float:
    begun = time.process_time()
    create_app(site)
    return time.process_time() - begun
