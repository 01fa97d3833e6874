"""What starting costs, in CPU seconds: a command, an application that answers once, a declared resource."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

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
    if status != 0:
        raise RuntimeError((folder / "output").read_text())
    return usage.ru_utime + usage.ru_stime


def hostwright(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("hostwright")), *arguments]
