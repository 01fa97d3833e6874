"""schemathesis over the generated document of the tricky site, served over real HTTP, finds nothing.

`make test` gives it a bounded time and a fixed seed; `make drill` gives it more of both. Imports are left out: their
bodies are files, which it cannot make up; and so is signing out, after which nothing else could be asked for, and what wants
mail, which is off here.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from host.testing.sites import Site

TESTS = Path(__file__).parents[1]
OPTIONS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429]
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 422, 428]
[generation]
allow-x00 = false
"""  # a valid 400 or 422 has to give a reason: see fuzz_checks; NUL is refused, which conformance tests
LEFT_OUT = "/health/ready|/import$|/(logout|logout-all|signout|forgot-password|resend|change-email)$"


class Quiet(WSGIRequestHandler):
    """Keeps connections open and says nothing."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *arguments: object) -> None:
        """Not of interest."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of the served site, and a token for it."""
    database = tmp_path_factory.mktemp("fuzzed") / "host.db"
    site = Site.make(TESTS / "conformance" / "site", f"sqlite:///{database}")
    server = make_server("127.0.0.1", 0, site.flask, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", site.token(site.account("ann"))
    server.shutdown()
    thread.join()
    server.server_close()
    site.close()


def run(served: tuple[str, str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    address, token = served
    (folder / "schemathesis.toml").write_text(OPTIONS)
    program = str(Path(sys.executable).with_name("schemathesis"))
    return subprocess.run(
        [program, "--config-file", "schemathesis.toml", "run", f"{address}/openapi.json", "-H",
         f"Authorization: Bearer {token}", "--exclude-path-regex", LEFT_OUT, "--warnings", "off",
         "--no-shrink", "--phases", "examples,coverage,fuzzing", *options],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "SCHEMATHESIS_HOOKS": "tests.web.fuzz_checks", "PYTHONPATH": str(TESTS.parent),
             "HOME": str(folder)},
    )  # fmt: skip


@pytest.mark.timeout(240)
def test_fuzzing_finds_nothing(served, tmp_path):
    done = run(served, tmp_path, "-n", "2", "--seed", "1", "--max-time", "20", "--include-tag", "shop.order",
               "--include-tag", "shop.entry", "--include-tag", "shop.seat", "--include-tag", "shop")  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.drill
@pytest.mark.timeout(1800)
def test_deep_fuzzing_finds_nothing(served, tmp_path):
    done = run(served, tmp_path, "-n", "50", "--seed", "2", "--max-time", "900")
    assert done.returncode == 0, done.stdout[-6000:]
