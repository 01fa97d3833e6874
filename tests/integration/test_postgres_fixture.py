"""The fixtures that hand out databases keep their promises."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.integration.postgres import Server

KILLED = """
import os, signal
from tests.integration.postgres import running_server
with running_server() as server:
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_every_database_starts_empty(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE once (id INTEGER)"))
    engine.dispose()


def test_database_is_copied_from_template(postgres_server: Server) -> None:
    with psycopg.connect(postgres_server.create("template_of_test")) as connection:
        connection.execute("CREATE TABLE kept (id integer)")
    with psycopg.connect(postgres_server.create("copy_of_test", "template_of_test")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    postgres_server.drop("copy_of_test")
    postgres_server.drop("template_of_test")


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres_server")
def test_server_ends_with_killed_session(checkout: Path) -> None:
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=root, capture_output=True, text=True, check=False
    )
    pid = int(run.stdout)
    for _attempt in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"server {pid} outlived its session")
