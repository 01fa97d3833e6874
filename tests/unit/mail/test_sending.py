"""Mail over real SMTP: taken, encrypted, refused; templates; what cannot become a header."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from host.errors import ConfigurationError, Invalid, Unavailable
from host.mail import Mailer, Message, Templates
from host.mail.smtp import Undelivered
from host.settings import MailSettings
from tests.support.serving import free_port
from tests.support.smtp import PASSWORD, USER, mailbox, make_certificate

MESSAGE = Message("ann@example.org", "Grüße", "Hello Ann\n", "<p>Hello Ann</p>")


def settings(port: int, **more: object) -> MailSettings:
    plain = MailSettings(
        host="127.0.0.1", port=port, tls="off", sender="Test <no-reply@example.org>", timeout=5
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of the settings


def test_message_arrives_in_both_forms() -> None:
    with mailbox() as box:
        Mailer(settings(box.port)).deliver(MESSAGE)
        (arrived,) = box.wait()
    assert (arrived["To"], arrived["Subject"]) == ("ann@example.org", "Grüße")
    assert arrived["From"] == "Test <no-reply@example.org>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Message-ID"].endswith("@example.org>")
    text, html = arrived.get_body(("plain",)), arrived.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Hello Ann"
    assert html.get_content().strip() == "<p>Hello Ann</p>"


def test_starttls_and_sign_in(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mailbox(certificate, wants_auth=True) as box:
        trusting = settings(
            box.port, tls="starttls", ca_file=str(certificate[0]), user=USER, password=PASSWORD
        )
        Mailer(trusting).deliver(MESSAGE)
        box.wait()
        assert box.secured == [True]


def test_server_that_is_encrypted_from_the_start(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mailbox(certificate, is_implicit=True) as box:
        Mailer(settings(box.port, tls="tls", ca_file=str(certificate[0]))).deliver(MESSAGE)
        box.wait()


def test_unknown_certificate_is_not_believed(tmp_path: Path) -> None:
    with mailbox(make_certificate(tmp_path)) as box:
        with pytest.raises(Undelivered, match=r"(?i)certificate") as refused:
            Mailer(settings(box.port, tls="starttls")).deliver(MESSAGE)
        assert (box.arrived, refused.value.is_final) == ([], True)


def test_encryption_is_never_given_up() -> None:
    with mailbox() as box:
        with pytest.raises(Undelivered, match="STARTTLS"):
            Mailer(settings(box.port, tls="starttls")).deliver(MESSAGE)
        assert box.arrived == []


def test_wrong_password_is_said_without_it(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mailbox(certificate, wants_auth=True) as box:
        wrong = settings(
            box.port, tls="starttls", ca_file=str(certificate[0]), user=USER, password="not this one"
        )
        with pytest.raises(Undelivered, match="535") as refused:
            Mailer(wrong).deliver(MESSAGE)
    assert "not this one" not in str(refused.value) + repr(wrong)


@pytest.mark.parametrize(("said", "is_final"), [("550 no such mailbox", True), ("451 try later", False)])
def test_refusal_says_whether_it_is_final(said: str, is_final: bool) -> None:
    with mailbox() as box:
        box.refuses = said
        with pytest.raises(Undelivered, match=f"the server said {said[:3]}") as refused:
            Mailer(settings(box.port)).deliver(MESSAGE)
    assert refused.value.is_final is is_final
    assert "Hello Ann" not in str(refused.value)


def test_server_that_is_away_may_come_back() -> None:
    with pytest.raises(Undelivered, match="ConnectionRefusedError") as refused:
        Mailer(settings(free_port())).deliver(MESSAGE)
    assert refused.value.is_final is False


def test_same_message_has_the_same_id() -> None:
    with mailbox() as box:
        for _ in range(2):
            Mailer(settings(box.port)).deliver(replace(MESSAGE, id="reminder-7.1"))
        first, second = box.wait(2)
    assert first["Message-ID"] == second["Message-ID"] == "<reminder-7.1@example.org>"


@pytest.mark.parametrize("bad", ["", "a b", "a>\r\nBcc: x", "a@b", ".a", "a..b", "ä", "x" * 121])
def test_no_id_becomes_a_header(bad: str) -> None:
    with pytest.raises(Invalid):
        replace(MESSAGE, id=bad)


@pytest.mark.parametrize(
    "bad", ["a@x.org\nBcc: b@x.org", "a@x.org\r\n", "nobody", "", "a@x.org, b@x.org", "a@x.org\u2028"]
)
def test_no_address_becomes_a_header(bad: str) -> None:
    with pytest.raises(Invalid):
        Message(bad, "Hello", "text")


@pytest.mark.parametrize("bad", ["Hi\nBcc: b@x.org", "Hi\r", "Hi\x00", "Hi\u2028", "", "x" * 201])
def test_no_subject_becomes_a_header(bad: str) -> None:
    with pytest.raises(Invalid):
        Message("ann@example.org", bad, "text")


@pytest.mark.parametrize("sender", ["", "nobody", "a@x.org\nBcc: b@x.org"])
def test_sender_has_to_be_an_address(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="HOSTWRIGHT_MAIL_FROM"):
        Mailer(settings(25, sender=sender))


def test_without_a_server_mail_is_off() -> None:
    mailer = Mailer(MailSettings())
    assert not mailer.is_on
    with pytest.raises(Unavailable, match="sends no mail"):
        mailer.deliver(MESSAGE)


def test_development_writes_the_mail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mailer = Mailer(MailSettings(), folder=tmp_path / "var" / "mail")
    for _ in range(2):  # sent again it is the same file
        mailer.deliver(replace(MESSAGE, id="one"))
    (path,) = (tmp_path / "var" / "mail").iterdir()
    written = message_from_bytes(path.read_bytes(), policy=default)
    assert (written["To"], written["Subject"]) == ("ann@example.org", "Grüße")
    assert path.stat().st_mode & 0o077 == 0
    assert f"a mail to ann@example.org lies in {path}" in caplog.text
    assert "Hello Ann" not in caplog.text


def test_template_becomes_a_message(tmp_path: Path) -> None:
    templates = Templates("Acme <1>", {})
    message = templates.message(
        "host/reset_password",
        "ann@example.org",
        name="<b>Ann</b>\nBcc: x@x.org",
        link="https://x/?a=1&b=2",
        hours="an hour",
    )
    assert message.subject == "Acme <1>: choose a new password"
    assert "https://x/?a=1&b=2" in message.text
    assert message.html is not None
    assert "&lt;b&gt;Ann&lt;/b&gt;" in message.html
    assert "<b>Ann</b>" not in message.html


def test_plugin_brings_templates(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "reminder.txt").write_text("Subject: Pay {{ number }}\n\nPlease pay {{ number }}.\n")
    message = Templates("Acme", {"freelance": tmp_path}).message(
        "freelance/reminder", "ann@example.org", number="INV-1"
    )
    assert (message.subject, message.text, message.html) == ("Pay INV-1", "Please pay INV-1.\n", None)


def test_site_words_win(tmp_path: Path) -> None:
    folder = tmp_path / "mail" / "host"
    folder.mkdir(parents=True)
    (folder / "reset_password.txt").write_text("Subject: Neues Kennwort\n\n{{ link }}\n")
    message = Templates("Acme", {"site": tmp_path}).message(
        "host/reset_password", "ann@example.org", name="Ann", link="https://x/", hours="an hour"
    )
    assert (message.subject, message.text) == ("Neues Kennwort", "https://x/\n")


@pytest.mark.parametrize(
    ("text", "said"), [(None, "no template demo/hello.txt"), ("Hello\n", "has to begin with `Subject:")]
)
def test_bad_template_is_said(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "mail" / "hello.txt").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        Templates("Acme", {"demo": tmp_path}).message("demo/hello", "ann@example.org")
