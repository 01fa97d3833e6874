"""A request costs the same whatever else is declared."""

import io
import time
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from host.application import create_app
from host.settings import read_settings
from tests.benchmark import boot, sides

RUNS, REQUESTS = 7, 200


def test_other_resources_cost_requests_nothing(tmp_path: Path) -> None:
    alone, among_many = microseconds(1, tmp_path / "alone"), microseconds(100, tmp_path / "many")
    assert among_many < alone * 1.3


def microseconds(resources: int, folder: Path) -> float:
    """Return the CPU time of reading a row in a site of so many resources; the least of several runs."""
    site = boot.site_of(resources, folder)
    environment = {**boot.settings(folder), "HOSTWRIGHT_ROOT": str(site)}
    sides.migrate(site, environment)
    app = create_app(read_settings(site, environment))
    client = app.test_client()
    account = {"email": "a@example.org", "password": "long enough to pass", "name": "A"}
    token = client.post("/api/auth/register", json=account).json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    key = sides.create(client, "/api/things-0", {"title": "One"})
    request = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/api/things-0/{key}",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(),
    }
    return min(one_run(app.wsgi_app, request) for _ in range(RUNS)) / REQUESTS * 1e6


def one_run(application: WSGIApplication, request: dict[str, Any]) -> float:
    begun = time.process_time()
    for _ in range(REQUESTS):
        answer = b"".join(application(request, lambda status, headers, error=None: None))
        assert answer.startswith(b'{"id"')
    return time.process_time() - begun
