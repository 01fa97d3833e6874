"""Reminders as the contract has them, and how they are mailed: once each, whatever dies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from host.actor import SYSTEM
from host.mail.sending import Mailer
from host.settings import MailSettings
from plugins.ledger.tests.book import NOBODY, Book, Keeper, open_book
from tests.support.smtp import Mailbox, mailbox

SOON = "2099-01-01T10:00:00"


@pytest.fixture(scope="module")
def post(book: Book) -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


@pytest.fixture(scope="module")
def mailing(
    book: Book, post: Mailbox, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Book]:
    """The same database, with a mail server."""
    mail = MailSettings(
        host="127.0.0.1", port=post.port, tls="off", sender="Ledger <no-reply@ledger.example>"
    )
    with open_book(tmp_path_factory.mktemp("mailing"), address, mail=mail) as opened:
        yield opened


@pytest.fixture
def due(mailing: Book) -> Iterator[Any]:
    """`due(keeper)` makes a reminder of somebody that is due; they all go afterwards."""
    table = mailing.app.runtime.registry.model("ledger.reminder").table

    def make(keeper: Keeper, minutes: int = 1, **values: Any) -> str:
        past = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
        given = {"reminder_type": "due_date", "scheduled_at": past, **values}
        return str(keeper.post("/api/reminders", given)["id"])

    yield make
    with mailing.app.runtime.database.writing() as connection:
        connection.execute(table.delete())


def check(book: Book) -> dict[str, Any]:
    """What one run of the schedule's job says; the mails go out behind it."""
    with book.app.runtime.writing(SYSTEM, plugin="ledger") as ctx:
        job = ctx.jobs.enqueue("send_reminders")
    book.run_jobs()
    with book.app.runtime.reading(SYSTEM, plugin="ledger") as ctx:
        told: dict[str, Any] = ctx.records("host.job").get(job)["result"]
        return told


def mails(post: Mailbox, keeper: Keeper) -> list[Any]:
    return [mail for mail in post.arrived if mail["To"].startswith(keeper.account["username"])]


def addressed(book: Book, name: str) -> Keeper:
    """Somebody with an address."""
    keeper = book.keeper(email=f"{name}@example.org")
    return Keeper(keeper.site, keeper.token, {**keeper.account, "username": name})


# --- the operations ---------------------------------------------------------------------------------------------------


def test_reminder_waits_when_it_is_made(ann: Keeper) -> None:
    transaction = ann.transaction(ann.contact())
    body = {
        "transaction_id": transaction,
        "reminder_type": "due_date",
        "scheduled_at": SOON,
        "message": "Ask Ada",
    }
    said = ann.send("POST", "/api/reminders", body)
    assert said.status == 201
    assert said.body["scheduled_at"].startswith(SOON)
    assert {key: said.body[key] for key in body if key != "scheduled_at"} == {
        key: value for key, value in body.items() if key != "scheduled_at"
    }
    assert (said.body["status"], said.body["sent_at"]) == ("pending", None)


def test_reminders_are_listed_by_status(book: Book) -> None:
    ann = book.keeper()
    made = [ann.post("/api/reminders", {"reminder_type": kind, "scheduled_at": SOON}) for kind in ("a", "b")]
    assert [row["id"] for row in ann.get("/api/reminders")] == [row["id"] for row in made]
    assert len(ann.get("/api/reminders?status=pending")) == 2
    assert ann.get("/api/reminders?status=sent") == []
    assert ann.send("GET", "/api/reminders?status=lost").status == 400


@pytest.mark.parametrize(
    "wrong",
    [{"reminder_type": ""}, {"reminder_type": "x" * 51}, {"scheduled_at": "soon"}, {"transaction_id": "x"}],
)
def test_wrong_reminders_are_bad_requests(ann: Keeper, wrong: dict[str, Any]) -> None:
    body = {"reminder_type": "due_date", "scheduled_at": SOON, **wrong}
    assert ann.send("POST", "/api/reminders", body).status == 400


def test_unknown_transactions_are_not_found(ann: Keeper, bob: Keeper) -> None:
    for key in (NOBODY, bob.transaction(bob.contact())):
        body = {"reminder_type": "due_date", "scheduled_at": SOON, "transaction_id": key}
        assert ann.send("POST", "/api/reminders", body).status == 404


def test_reminder_goes_with_its_transaction(ann: Keeper) -> None:
    transaction = ann.transaction(ann.contact())
    body = {"reminder_type": "due_date", "scheduled_at": SOON, "transaction_id": transaction}
    reminder = ann.post("/api/reminders", body)["id"]
    ann.delete(f"/api/transactions/{transaction}")
    assert ann.send("GET", f"/api/reminders/{reminder}").status == 404


def test_nobody_says_that_a_reminder_was_sent(ann: Keeper) -> None:
    body = {"reminder_type": "due_date", "scheduled_at": SOON, "status": "sent"}
    assert ann.send("POST", "/api/reminders", body).body["status"] == "pending"


# --- the mails --------------------------------------------------------------------------------------------------------


def test_due_reminders_are_mailed_once(mailing: Book, post: Mailbox, due: Any) -> None:
    ada = addressed(mailing, "ada")
    transaction = ada.transaction(ada.contact(name="Charles"), description="lunch")
    reminder = due(ada, transaction_id=transaction, message="Ask Charles")
    later = ada.post("/api/reminders", {"reminder_type": "due_date", "scheduled_at": SOON})["id"]
    assert check(mailing) == {"sent": 1, "undeliverable": 0, "waiting": 0}
    assert check(mailing) == {"sent": 0, "undeliverable": 0, "waiting": 0}
    (mail,) = mails(post, ada)
    assert mail["Message-ID"].strip().startswith(f"<reminder-{reminder}-")
    assert "due date" in mail["Subject"]
    text = mail.get_content()
    assert all(word in text for word in ("Ask Charles", "lent 1000 USD", "lunch"))
    row = ada.get(f"/api/reminders/{reminder}")
    assert (row["status"], bool(row["sent_at"])) == ("sent", True)
    same = ada.put(
        f"/api/reminders/{reminder}", {"scheduled_at": row["scheduled_at"], "message": "Ask again"}
    )
    assert ada.get(f"/api/reminders/{same['id']}")["status"] == "sent"
    assert ada.get(f"/api/reminders/{later}")["status"] == "pending"


def test_mail_sent_again_after_a_crash_has_the_same_id(
    mailing: Book, post: Mailbox, due: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve, deliver, crashes = addressed(mailing, "eve"), Mailer.deliver, [1]
    due(eve)

    def dying(mailer: Mailer, message: Any) -> None:
        deliver(mailer, message)
        if crashes:
            raise RuntimeError(f"died {crashes.pop()} moment after the server had said OK")

    monkeypatch.setattr(Mailer, "deliver", dying)
    assert check(mailing)["sent"] == 1
    assert check(mailing)["sent"] == 0
    mailing.run_jobs(ahead=3600)
    first, second = mails(post, eve)
    assert first["Message-ID"] == second["Message-ID"]


def test_run_that_fails_leaves_neither_mark_nor_mail(
    mailing: Book, post: Mailbox, due: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    amy = addressed(mailing, "amy")
    keys = [due(amy, minutes) for minutes in (2, 1)]
    send, calls = Mailer.send_after_commit, list[Any]()

    def failing(mailer: Mailer, ctx: Any, message: Any) -> str:
        calls.append(message)
        if len(calls) == 2:
            raise RuntimeError("in the middle of the run")
        return send(mailer, ctx, message)

    with monkeypatch.context() as patched:
        patched.setattr(Mailer, "send_after_commit", failing)
        with mailing.app.runtime.writing(SYSTEM, plugin="ledger") as ctx:
            ctx.jobs.enqueue("send_reminders")
        mailing.run_jobs()
    assert [amy.get(f"/api/reminders/{key}")["status"] for key in keys] == ["pending", "pending"]
    assert mails(post, amy) == []
    mailing.run_jobs(ahead=600)
    assert [amy.get(f"/api/reminders/{key}")["status"] for key in keys] == ["sent", "sent"]
    assert len(mails(post, amy)) == 2


def test_account_without_address_is_told(mailing: Book, due: Any) -> None:
    bob = mailing.keeper()
    reminder = due(bob)
    assert check(mailing) == {"sent": 0, "undeliverable": 1, "waiting": 0}
    row = bob.get(f"/api/reminders/{reminder}")
    assert (row["status"], row["reason"]) == ("undeliverable", "the account has no e-mail address")
    bob.put(f"/api/reminders/{reminder}", {"scheduled_at": SOON})
    assert bob.get(f"/api/reminders/{reminder}")["status"] == "pending"


def test_reminder_that_makes_no_mail_holds_up_nobody(mailing: Book, post: Mailbox, due: Any) -> None:
    cid = addressed(mailing, "cid")
    due(cid, 9, reminder_type="bell \u0007")
    due(cid)
    assert check(mailing) == {"sent": 1, "undeliverable": 1, "waiting": 0}
    assert len(mails(post, cid)) == 1


def test_reminders_wait_while_there_is_no_mail(book: Book, mailing: Book, due: Any) -> None:
    due(addressed(mailing, "dan"))
    assert check(book) == {"sent": 0, "undeliverable": 0, "waiting": 1}
    assert check(mailing)["sent"] == 1


def test_old_reminders_are_cleared_away(mailing: Book, due: Any) -> None:
    gil = addressed(mailing, "gil")
    old, young, waiting = (
        due(gil),
        due(gil),
        gil.post("/api/reminders", {"reminder_type": "x", "scheduled_at": SOON}),
    )
    check(mailing)
    table = mailing.app.runtime.registry.model("ledger.reminder").table
    long_ago = datetime.now(UTC) - timedelta(days=91)
    with mailing.app.runtime.database.writing() as connection:
        connection.execute(
            table.update().where(table.c.id.in_([old, waiting["id"]])).values(updated_at=long_ago)
        )
    with mailing.app.runtime.writing(SYSTEM, plugin="ledger") as ctx:
        job = ctx.jobs.enqueue("clean_up")
    mailing.run_jobs()
    with mailing.app.runtime.reading(SYSTEM, plugin="ledger") as ctx:
        assert ctx.records("host.job").get(job)["result"]["reminders"] == 1
    assert {row["id"] for row in gil.get("/api/reminders")} == {young, waiting["id"]}


def test_both_jobs_have_their_times(book: Book) -> None:
    schedules = book.app.runtime.registry.declaration.schedules
    assert schedules["ledger.reminders"].cron == "*/5 * * * *"
    assert schedules["ledger.daily_clean_up"].cron == "0 2 * * *"
