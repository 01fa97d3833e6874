"""A real worker, killed between the mail server's OK and the note that it said so: once more, with the same message id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from host.actor import SYSTEM
from host.testing.visitors import SECRET
from plugins.ledger.tests.book import Book, open_book
from tests.support.databases import on_both
from tests.support.redis import running_redis
from tests.support.serving import free_port
from tests.support.smtp import Mailbox
from tests.support.working import JobSite, Processes, kill, started, until

__all__ = ["on_both"]
pytestmark = [pytest.mark.drill, pytest.mark.timeout(300)]


@dataclass
class Deadly(Mailbox):
    """Takes a mail and kills whoever brought the first one, before it is told so."""

    worker: Processes | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """One message."""
        self.arrived.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        if len(self.arrived) == 1 and self.worker is not None:
            for process in self.worker.workers():
                kill(process)
        return "250 OK"


@pytest.fixture
def post() -> Iterator[Deadly]:
    found = Deadly(free_port())
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()


def check(book: Book) -> None:
    with book.app.runtime.writing(SYSTEM, plugin="ledger") as ctx:
        ctx.jobs.enqueue("send_reminders")


def test_killed_worker_loses_no_reminder(on_both: str, post: Deadly, tmp_path: Path) -> None:
    mail = {"HOST": "127.0.0.1", "PORT": str(post.port), "TLS": "off", "FROM": "no-reply@ledger.example"}
    with open_book(tmp_path, on_both) as book, running_redis() as redis:
        environ = {
            "HOSTWRIGHT_SECRET": SECRET, "HOSTWRIGHT_DATABASE_URL": on_both, "HOSTWRIGHT_REDIS_URL": redis.url,
            **{f"HOSTWRIGHT_MAIL_{name}": value for name, value in mail.items()},
        }  # fmt: skip
        ada = book.keeper(email="ada@example.org")
        past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        reminder = ada.post("/api/reminders", {"reminder_type": "due_date", "scheduled_at": past})["id"]
        with started(JobSite(tmp_path, on_both, environ), "worker", "--concurrency", "1") as post.worker:
            check(book)
            first, second = until(lambda: len(post.arrived) > 1 and post.arrived, "the mail came again", 90)
            assert first["Message-ID"] == second["Message-ID"]
            assert ada.get(f"/api/reminders/{reminder}")["status"] == "sent"
            check(book)
            until(lambda: _is_idle(book), "every job is done", 60)
        assert len(post.arrived) == 2


def _is_idle(book: Book) -> bool:
    table = book.app.runtime.registry.model("host.job").table
    with book.app.runtime.reading(SYSTEM, plugin="ledger") as ctx:
        return ctx.records("host.job").count(table.c.state.not_in(("done", "dead"))) == 0
