"""The two sides of the comparison: each fills a database with the same rows and says how to serve and ask it.

500 projects and 10,000 tasks of one user; a fifth of the tasks has each status.
"""

import os
import random
import secrets
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token

from host.application import create_app
from host.settings import read_settings
from tests.benchmark import baseline

PROJECTS = 500
TASKS = 10_000
ROOT = Path(__file__).parents[2]

Request = tuple[str, str, Any]


@dataclass(frozen=True)
class Site:
    """One side, filled and ready to be served."""

    target: str
    environment: dict[str, str]
    headers: dict[str, str]
    parent: str
    listing: str
    projects: list[str]
    tasks: list[str]

    def requests(self, operation: str) -> list[Request]:
        """Return the requests of an operation: the same work on both sides, in the same order."""
        chance = random.Random(operation)
        tasks = [chance.choice(self.tasks) for _ in range(200)]
        make = {
            "list": lambda: [
                ("GET", self.listing.format(status=status), None) for status in baseline.STATUSES
            ],
            "get": lambda: [("GET", f"/api/tasks/{task}", None) for task in tasks],
            "create": lambda: [("POST", "/api/tasks", self._new(chance)) for _ in tasks],
            "patch": lambda: [("PATCH", f"/api/tasks/{task}", change(chance)) for task in tasks],
        }
        return make[operation]()

    def _new(self, chance: random.Random) -> dict[str, Any]:
        return {self.parent: chance.choice(self.projects), **written(row(chance, status="done"))}


def row(chance: random.Random, status: str) -> dict[str, Any]:
    """Return the values of a task that both sides store; the other columns are for the server to fill."""
    return {
        "title": f"Task {chance.randrange(10**6)}",
        "notes": "Call back, then write down what was agreed. " * chance.randrange(1, 4),
        "status": status,
        "priority": chance.randrange(10),
        "estimate": Decimal(chance.randrange(100_000)) / 100,
        "due_date": date(2026, 1, 1) + timedelta(days=chance.randrange(365)),
        "billable": chance.random() < 0.5,
    }


def change(chance: random.Random) -> dict[str, Any]:
    return {"title": f"Changed {chance.randrange(10**6)}", "priority": chance.randrange(10), "billable": True}


def rows() -> Iterator[dict[str, Any]]:
    chance = random.Random("rows")
    for number in range(TASKS):
        yield row(chance, status=baseline.STATUSES[number % len(baseline.STATUSES)])


def written(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as a JSON body has them."""
    return {name: str(each) if isinstance(each, Decimal | date) else each for name, each in values.items()}


def hand_written(database: str, _folder: Path) -> Site:
    """Fill the yardstick's database."""
    owner, secret = uuid.uuid4(), secrets.token_hex(32)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with baseline.empty_database(database) as session:
        projects = [baseline.Project(id=uuid.uuid4(), owner_id=owner, name=f"P {n}") for n in range(PROJECTS)]
        session.add_all(projects)
        session.flush()
        tasks = [
            baseline.Task(
                id=uuid.uuid4(),
                owner_id=owner,
                project_id=projects[number % PROJECTS].id,
                created_at=start + timedelta(minutes=number),
                updated_at=start + timedelta(minutes=number),
                **values,
            )
            for number, values in enumerate(rows())
        ]
        session.add_all(tasks)
        project_ids, task_ids = [str(each.id) for each in projects], [str(each.id) for each in tasks]
    os.environ["BASELINE_SECRET"] = secret
    with baseline.create_app(database).app_context():
        token = create_access_token(str(owner), expires_delta=timedelta(hours=1))
    return Site(
        target="tests.benchmark.baseline_wsgi:application",
        environment={"BASELINE_DATABASE": database, "BASELINE_SECRET": secret, "PYTHONPATH": str(ROOT)},
        headers={"Authorization": f"Bearer {token}"},
        parent="project_id",
        listing="/api/tasks?status={status}&sort=-created_at",
        projects=project_ids,
        tasks=task_ids,
    )


def generated(database: str, folder: Path) -> Site:
    """Migrate a site that only declares, and fill it as its clients would: through its endpoints."""
    site = folder / "site"
    shutil.copytree(ROOT / "tests" / "benchmark" / "site", site)
    environment = {
        "HOSTWRIGHT_DATABASE_URL": database,
        "HOSTWRIGHT_ROOT": str(site),
        "HOSTWRIGHT_SECRET": secrets.token_hex(32),
        "HOSTWRIGHT_LOG_LEVEL": "warning",  # the other side logs no requests either
        "PYTHONPATH": str(ROOT),
    }
    migrate(site, environment)
    quick = {**environment, "HOSTWRIGHT_SQLITE_SYNCHRONOUS": "NORMAL"}
    client = create_app(read_settings(site, quick)).test_client()
    account = {"email": "bench@example.org", "password": secrets.token_hex(8), "name": "Bench"}
    token = client.post("/api/auth/register", json=account).json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    projects = [create(client, "/api/projects", {"name": f"P {number}"}) for number in range(PROJECTS)]
    tasks = [
        create(client, "/api/tasks", {"project": projects[number % PROJECTS], **written(values)})
        for number, values in enumerate(rows())
    ]
    return Site(
        target="wsgi:application",
        environment=environment,
        headers={"Authorization": client.environ_base["HTTP_AUTHORIZATION"]},
        parent="project",
        listing="/api/tasks?status={status}&sort=-created_at&count=exact",
        projects=projects,
        tasks=tasks,
    )


def copied(folder: Path) -> Path:
    """The declarations of the benchmark in a folder of their own."""
    return Path(shutil.copytree(ROOT / "tests" / "benchmark" / "site", folder / "site"))


def environment_of(database: str, site: Path) -> dict[str, str]:
    """What the site runs with."""
    return {
        "HOSTWRIGHT_DATABASE_URL": database,
        "HOSTWRIGHT_ROOT": str(site),
        "HOSTWRIGHT_SECRET": secrets.token_hex(32),
        "PYTHONPATH": str(ROOT),
    }


def signed_in(app: Any) -> FlaskClient:
    """A client of a new account."""
    client: FlaskClient = app.test_client()
    account = {"email": "bench@example.org", "password": secrets.token_hex(8), "name": "Bench"}
    token = client.post("/api/auth/register", json=account).json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def migrate(site: Path, environment: dict[str, str]) -> None:
    program = Path(sys.executable).with_name("hostwright")
    for command in (["db", "make", "--message", "tables"], ["db", "upgrade"]):
        subprocess.run(
            [program, *command], cwd=site, env={**os.environ, **environment}, check=True, stdout=sys.stderr
        )


def create(client: FlaskClient, path: str, values: dict[str, Any]) -> str:
    answer = client.post(path, json=values)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    return str(answer.json["id"])
