"""Mail as a job: of the transaction that wants it, sealed, tried again, and given up where the server says so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from host.errors import Invalid, Unavailable
from host.mail import Mailer, Message, Templates
from host.service.context import Context
from host.service.runtime import Runtime
from host.settings import MailSettings
from tests.support.sites import Core, Declare
from tests.support.smtp import Mailbox, mailbox

CODE = """
    def remind(ctx, data):
        return ctx.mail.send(data["to"], "reminder", {"number": 7})
"""
YAML = """
    jobs:
      remind: {call: actions.remind, run_as: system, in: {type: object, fields: {to: string}}}
"""
MESSAGE = Message("ann@example.org", "Hello", "a link that is a secret\n")


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    made = declare(YAML, CODE)
    folder = made.site.app.settings.root / "plugins" / "demo" / "mail"
    folder.mkdir()
    (folder / "reminder.txt").write_text("Subject: Pay {{ number }}\n\nPlease pay {{ number }}.\n")
    return made


@pytest.fixture
def box(core: Core, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """Where the mail of the site goes."""
    with mailbox() as found:
        settings = MailSettings(host="127.0.0.1", port=found.port, tls="off", sender="no-reply@example.org")
        set_mail(core, monkeypatch, settings)
        yield found
    with core.writing() as ctx:
        ctx.execute(sa.delete(ctx.table("host.job")))


def set_mail(core: Core, monkeypatch: pytest.MonkeyPatch, settings: MailSettings) -> None:
    """Another mailer for the site, which is shared."""
    root = core.site.app.settings.root
    mailer = Mailer(settings, Templates("Test", {"demo": root / "plugins" / "demo"}))
    monkeypatch.setattr(core.site, "app", replace(core.site.app, runtime=mailing(core.site.runtime, mailer)))


def mailing(runtime: Runtime, mailer: Mailer) -> Runtime:
    return replace(runtime, mail=mailer)


def send(ctx: Context, message: Message = MESSAGE) -> str:
    mailer = ctx.runtime.mail
    assert isinstance(mailer, Mailer)
    return mailer.send_after_commit(ctx, message)


def job(core: Core, key: str) -> dict[str, Any]:
    with core.reading() as ctx:
        table = ctx.table("host.job")
        return dict(ctx.execute(sa.select(table).where(table.c.id == key)).mappings().one())


def test_mail_is_a_sealed_job(core: Core, box: Mailbox) -> None:
    with core.writing() as ctx:
        key = send(ctx)
    stored = job(core, key)
    assert (stored["name"], stored["state"], stored["data"]) == ("host.send_mail", "queued", None)
    assert "secret" not in str(stored)
    assert [ran.outcome for ran in core.site.run_jobs()] == ["done"]
    (arrived,) = box.wait()
    assert arrived.get_content().strip() == "a link that is a secret"
    assert arrived["Message-ID"] == f"<{key}@example.org>"
    assert job(core, key)["sealed"] is None


def test_rollback_sends_nothing(core: Core, box: Mailbox) -> None:
    with pytest.raises(RuntimeError), core.writing() as ctx:
        send(ctx)
        raise RuntimeError
    assert core.site.run_jobs() == []
    assert box.arrived == []


def test_outside_of_a_transaction_it_makes_its_own(core: Core, box: Mailbox) -> None:
    send(core.site.runtime.context(core.site.account(), plugin="demo"))
    core.site.run_jobs()
    assert len(box.wait()) == 1


def test_final_refusal_is_dead_at_once(core: Core, box: Mailbox) -> None:
    box.refuses = "550 no such mailbox"
    with core.writing() as ctx:
        key = send(ctx)
    assert [ran.outcome for ran in core.site.run_jobs()] == ["dead"]
    assert job(core, key)["error"] == {
        "code": "undelivered", "detail": "the mail 'Hello' was not delivered: the server said 550",
    }  # fmt: skip


def test_passing_refusal_is_tried_again(core: Core, box: Mailbox) -> None:
    box.refuses = "451 try later"
    with core.writing() as ctx:
        key = send(ctx)
    assert [ran.outcome for ran in core.site.run_jobs()] == ["again"]
    assert job(core, key)["error"]["detail"] == "the mail 'Hello' was not delivered: the server said 451"
    assert core.site.run_jobs() == []  # not before its time
    box.refuses = ""
    assert [ran.outcome for ran in core.site.run_jobs(ahead=60)] == ["done"]
    (arrived,) = box.wait()
    assert arrived["Message-ID"] == f"<{key}@example.org>"


def test_plugin_sends_by_its_template(core: Core, box: Mailbox) -> None:
    with core.writing() as ctx:
        first = ctx.jobs.enqueue("demo.remind", {"to": "bob@example.org"})
    assert [ran.name for ran in core.site.run_jobs()] == ["demo.remind", "host.send_mail"]
    (arrived,) = box.wait()
    assert (arrived["To"], arrived["Subject"]) == ("bob@example.org", "Pay 7")
    assert arrived["Message-ID"] == f"<{job(core, first)['result']}@example.org>"


def test_plugin_chooses_the_id(core: Core, box: Mailbox) -> None:
    with core.writing() as ctx:
        assert ctx.within("demo").mail.is_on
        ctx.mail.send("bob@example.org", "demo/reminder", {"number": 8}, mail_id="reminder-8")
    core.site.run_jobs()
    assert box.wait()[0]["Message-ID"] == "<reminder-8@example.org>"


def test_bad_address_is_refused_before(core: Core, box: Mailbox) -> None:
    with pytest.raises(Invalid), core.writing() as ctx:
        ctx.mail.send("bob@example.org\nBcc: eve@example.org", "demo/reminder", {"number": 8})


def test_site_without_mail_says_so(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    set_mail(core, monkeypatch, MailSettings())
    with core.writing() as ctx:
        assert not ctx.mail.is_on
        with pytest.raises(Unavailable, match="sends no mail"):
            ctx.mail.send("bob@example.org", "demo/reminder", {"number": 8})
