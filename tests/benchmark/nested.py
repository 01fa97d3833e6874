"""A team's list against the plain list of an owner, both of 50 rows of the same columns, in CPU time per request.

`owner` is the plain list; `member` has a parent in its path and rules over memberships; `rich` also embeds tags and counts
comments and attachments. `make bench` measures them through servers; `python -m tests.benchmark.nested` in this process.
"""

from __future__ import annotations

import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.application import create_app
from host.settings import read_settings
from tests.benchmark import sides

ROWS, OTHERS, ROUNDS, REQUESTS = 50, 200, 15, 100
MOST = {"owner": 1.0, "member": 1.6, "rich": 3.0}  # times the plain list
QUICK = {"HOSTWRIGHT_SQLITE_SYNCHRONOUS": "NORMAL"}
TAGS = ("red", "green", "blue", "late", "dear")


@dataclass(frozen=True)
class Cost:
    """The microseconds of CPU that a list costs, and how many times the owner's plain list that is."""

    name: str
    microseconds: float
    ratio: float

    @property
    def most(self) -> float:
        """The ratio that is wanted."""
        return MOST[self.name]


@dataclass(frozen=True)
class Filled:
    """A site with the lists in it."""

    target: str
    environment: dict[str, str]
    headers: dict[str, str]
    paths: dict[str, str]

    def requests(self, operation: str) -> list[sides.Request]:
        """The request of a list."""
        return [("GET", self.paths[operation], None)]


def fill(client: Any, rows: int = ROWS) -> dict[str, str]:
    """A page of tasks, and boards with as many cards, tags, comments and attachments; the paths of their lists."""
    chance = random.Random("nested")
    project = sides.create(client, "/api/projects", {"name": "P"})
    for _ in range(rows):
        sides.create(client, "/api/tasks", {"project": project, **sides.written(sides.row(chance, "open"))})
    board = sides.create(client, "/api/boards", {"name": "B"})
    other = sides.create(client, "/api/boards", {"name": "O"})
    for number in range(rows + OTHERS):
        values = sides.written(sides.row(chance, "open")) | {"tags": chance.sample(TAGS, 2)}
        path = f"/api/rich/{board if number < rows else other}/cards"
        card = sides.create(client, path, values)
        if number < rows:
            below = f"/api/boards/{board}/cards/{card}"
            sides.create(client, f"{below}/comments", {"content": "Seen."})
            sides.create(client, f"{below}/attachments", {"name": "photo.jpg"})
    return {"owner": "/api/tasks", "member": f"/api/boards/{board}/cards", "rich": f"/api/rich/{board}/cards"}


def filled(database: str, folder: Path) -> Filled:
    """Migrate the benchmark's site and fill it."""
    site = sides.copied(folder)
    environment = sides.environment_of(database, site)
    sides.migrate(site, environment)
    client = sides.signed_in(create_app(read_settings(site, {**environment, **QUICK})))
    headers = {"Authorization": client.environ_base["HTTP_AUTHORIZATION"]}
    return Filled("wsgi:application", environment, headers, fill(client))


def measured(database: str, folder: Path) -> list[Cost]:
    """The costs of the lists in this process, from interleaved rounds."""
    site = filled(database, folder)
    app = create_app(read_settings(Path(site.environment["HOSTWRIGHT_ROOT"]), {**site.environment, **QUICK}))
    asked = {name: asking(app, path, site.headers["Authorization"]) for name, path in site.paths.items()}
    samples: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(ROUNDS + 1):
        for name, ask in asked.items():
            spent = run(ask)
            samples[name] += [spent] if number else []
    return costs(samples)


def costs(samples: dict[str, list[float]]) -> list[Cost]:
    """The medians, compared with the owner's."""
    medians = {name: statistics.median(found) for name, found in samples.items()}
    return [Cost(name, spent, spent / medians["owner"]) for name, spent in medians.items()]


def asking(app: Any, path: str, token: str) -> Callable[[], bytes]:
    """A request of the whole WSGI application."""

    def ask() -> bytes:
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_AUTHORIZATION": token, "wsgi.input": io.BytesIO(),
        }  # fmt: skip
        return b"".join(app.wsgi_app(environ, lambda status, headers, error=None: None))

    return ask


def run(ask: Callable[[], bytes]) -> float:
    """The CPU microseconds of one request, the mean of a batch."""
    begun = time.process_time()
    for _ in range(REQUESTS):
        answer = ask()
    spent = (time.process_time() - begun) / REQUESTS * 1e6
    assert answer.count(b'"created_at"') == ROWS, answer[:300]
    return spent


def table(costs: list[Cost]) -> str:
    """The costs as a Markdown table."""
    lines = ["| list of 50 | µs | times the owner's | wanted |", "|---|---:|---:|---:|"]
    rows = [f"| {it.name} | {it.microseconds:.0f} | {it.ratio:.2f} | {it.most} |" for it in costs]
    return "\n".join([*lines, *rows])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(table(measured(f"sqlite:///{folder}/nested.sqlite3", Path(folder))))


if __name__ == "__main__":
    main()
