"""What is shipped: the wheel is complete, claims no foreign name and works outside the checkout."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serving import free_port


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, so that this is known to be complete too."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, checkout]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel in it; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    python = programs / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    subprocess.run(install, check=True)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    # A folder named here is searched for packages; its own path files, such as the checkout's, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return programs


@pytest.fixture
def site(tmp_path: Path, checkout: Path) -> Path:
    """A site outside the checkout, with every bundled plugin."""
    shutil.copy(checkout / "resources.yaml", tmp_path)
    return tmp_path


def test_wheel_claims_only_host(names: list[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"host", "hostwright-0.1.0.dist-info"}


def test_wheel_holds_every_bundled_plugin(names: list[str], checkout: Path) -> None:
    declared = [path.relative_to(checkout / "plugins") for path in checkout.glob("plugins/*/**/*.yaml")]
    shipped = [path for path in declared if "tests" not in path.parts]
    assert shipped
    assert {f"host/_plugins/{path.as_posix()}" for path in shipped} <= set(names)


def test_wheel_holds_the_host_migrations(names: list[str], checkout: Path) -> None:
    revisions = [path.name for path in checkout.glob("migrations/host/*.py")]
    assert revisions
    assert {f"host/_migrations/host/{name}" for name in revisions} <= set(names)


def test_wheel_leaves_tests_at_home(names: list[str]) -> None:
    plugins = [name for name in names if name.startswith("host/_plugins/")]
    assert not [name for name in plugins if "/tests/" in name]
    assert not [name for name in names if "__pycache__" in name]


def test_installed_wheel_checks_a_site(installed: Path, site: Path) -> None:
    run = subprocess.run(
        [installed / "hostwright", "check"], cwd=site, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_installed_wheel_serves_a_site(installed: Path, site: Path) -> None:
    with running(installed / "hostwright", site) as address:
        request = urllib.request.Request(f"{address}/health", headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["status"] is True


@contextmanager
def running(program: Path, site: Path) -> Iterator[str]:
    """Run a site on a free port with nothing of the checkout in sight."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (site / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "run", "--port", str(port)], cwd=site, env=environment, stdout=log, stderr=log
        )
    try:
        await_port(port, process, site / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _attempt in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
        if process.poll() is not None:
            break
    pytest.fail(f"the site did not start: {log.read_text()}")
