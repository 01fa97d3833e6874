"""`hostwright run` as a developer has it: workers and a scheduler beside the server, and mails that become files."""

import re
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from tests.support.serving import Served, served


def test_run_writes_mails_and_knows_its_workers(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    with served(tmp_path, "run", environ={"HOSTWRIGHT_RUN_WORKERS": "on"}) as server:
        status, told = server.ask("GET", "/health/ready")
        assert (status, told["status"]) == (200, "ready")
        body = {"username": "ann", "email": "ann@example.org", "password": "correct horse battery"}
        assert server.ask("POST", "/api/auth/register", body)[0] == 201
        (path,) = wait_for_mails(server, tmp_path / "var" / "mail")
        text = message_from_bytes(path.read_bytes(), policy=default).get_body(("plain",))
        assert text is not None
        found = re.search(rf"{server.address}/api/auth/verify-email\?token=([\w-]+)", text.get_content())
        assert found is not None
        assert server.ask("POST", "/api/auth/verify-email", {"token": found[1]})[0] == 200
        server.wait_for(f"a mail to ann@example.org lies in {path}")
        ready = {"status": "ready", "workers": "up", "scheduler": "up"}
        assert server.ask("GET", "/health/ready") == (200, ready)


def wait_for_mails(server: Served, folder: Path, seconds: float = 40.0) -> list[Path]:
    """The files, once there are any."""
    deadline = time.monotonic() + seconds
    while not (found := list(folder.glob("*.eml"))):
        assert time.monotonic() < deadline, server.said()
        time.sleep(0.05)
    return found
