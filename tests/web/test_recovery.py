"""Forgotten passwords and confirmed addresses: real mail over SMTP, on both databases."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from host.auth.links import LINK
from host.jobs.draining import drain
from host.settings import MailSettings, RecoverySettings
from tests.support.smtp import Mailbox, mailbox
from tests.web.identity import PASSWORD, IdentitySite, running

BASE = "https://app.example.org"
NEW = "another fine horse"
TOKEN = re.compile(r"token=([\w-]+)")
Make = Callable[..., IdentitySite]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


def mail_to(box: Mailbox) -> MailSettings:
    return MailSettings(host="127.0.0.1", port=box.port, tls="off", sender="Test <no-reply@example.org>")


@pytest.fixture
def site(tmp_path: Path, database_url: str, box: Mailbox) -> Iterator[IdentitySite]:
    """With Ann, whose address has not been confirmed; the mail of her sign-up lies in the box."""
    with running(tmp_path, database_url, mail=mail_to(box), public_url=BASE) as found:
        assert found.register(username="ann", email="ann@x.org").status_code == 201
        mails(found, box, 1)
        yield found
        quiet(found)


def quiet(site: IdentitySite) -> None:
    """Until nothing is on its way any more: what was looked up in the background, and the mails, which are jobs."""
    assert site.app.authentication.recovery.background.flush()
    assert {ran.outcome for ran in drain(site.app.runtime)} <= {"done"}


def mails(site: IdentitySite, box: Mailbox, count: int) -> list[EmailMessage]:
    """What has arrived, once there is so much."""
    quiet(site)
    return box.wait(count)


def ask(site: IdentitySite, name: str, **body: str) -> TestResponse:
    return site.send("POST", f"/api/auth/{name}", body)


def token_in(site: IdentitySite, box: Mailbox, count: int) -> str:
    """The secret in the mail that came as the so-manieth."""
    body = mails(site, box, count)[count - 1].get_body(("plain",))
    assert body is not None
    found = TOKEN.search(body.get_content())
    assert found is not None
    return found[1]


def reset_token(site: IdentitySite, box: Mailbox, email: str = "ann@x.org") -> str:
    before = len(box.arrived)
    assert ask(site, "forgot-password", email=email).status_code == 200
    return token_in(site, box, before + 1)


def verified(site: IdentitySite, name: str = "ann") -> bool:
    return bool(site.app.authentication.accounts.named(name)["email_verified"])


def test_forgotten_password_is_replaced(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    assert box.arrived[1]["To"] == "ann@x.org"
    answer = ask(site, "reset-password", token=token, password=NEW)
    assert (answer.status_code, answer.json) == (
        200,
        {"message": "The password has been changed; sign in with it"},
    )
    assert site.login(username="ann", password=NEW).status_code == 200
    assert site.login(username="ann", password=PASSWORD).status_code == 401
    assert verified(site)  # who follows a link reads the address's mail


def test_link_leads_to_the_public_address(site: IdentitySite, box: Mailbox) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    site.client().post("/api/auth/forgot-password", json={"email": "ann@x.org"}, headers=headers)
    body = mails(site, box, 2)[1].get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"{BASE}/api/auth/reset-password?token=" in text
    assert "evil" not in text


def test_answer_tells_nothing_of_accounts(site: IdentitySite, box: Mailbox) -> None:
    answers = [ask(site, "forgot-password", email=email) for email in ("ann@x.org", "nobody@x.org")]
    assert answers[0].json == answers[1].json
    assert [answer.status_code for answer in answers] == [200, 200]
    quiet(site)
    assert [mail["To"] for mail in box.arrived] == ["ann@x.org", "ann@x.org"]


def test_link_counts_once(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    with ThreadPoolExecutor(6) as pool:
        passwords = [f"{NEW} {at}" for at in range(6)]
        answers = list(
            pool.map(lambda word: ask(site, "reset-password", token=token, password=word), passwords)
        )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200, 422, 422, 422, 422, 422]
    assert site.login(username="ann", password=passwords[statuses.index(200)]).status_code == 200


def test_reset_ends_sessions_and_other_links(site: IdentitySite, box: Mailbox) -> None:
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    first, second = reset_token(site, box), reset_token(site, box)
    assert ask(site, "reset-password", token=second, password=NEW).status_code == 200
    assert ask(site, "reset-password", token=first, password="a third horse").status_code == 422
    assert site.me(session).status_code == 401


def test_other_password_ends_the_link(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    accounts = site.app.authentication.accounts
    accounts.set_password(accounts.named("ann"), "a quite different horse")
    assert ask(site, "reset-password", token=token, password=NEW).status_code == 422


def test_bad_password_leaves_the_link(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    assert ask(site, "reset-password", token=token, password="short").status_code == 422
    assert (
        ask(site, "reset-password", token=token, password="password123").json["errors"][0]["pointer"]
        == "/password"
    )  # type: ignore[index]
    assert ask(site, "reset-password", token=token, password=NEW).status_code == 200


def test_only_a_digest_is_stored(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    table = site.app.runtime.registry.models[LINK].table
    with site.app.runtime.database.writing() as connection:
        assert token not in str(connection.execute(table.select()).mappings().all())


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 200])
def test_foreign_link_is_refused(site: IdentitySite, token: str) -> None:
    answer = ask(site, "reset-password", token=token, password=NEW)
    assert answer.status_code == 422
    assert ask(site, "verify-email", token=token).status_code == 422


def test_reset_link_confirms_nothing_else(site: IdentitySite, box: Mailbox) -> None:
    assert ask(site, "verify-email", token=reset_token(site, box)).status_code == 422
    assert ask(site, "reset-password", token=token_in(site, box, 1), password=NEW).status_code == 422


def test_expired_link_is_refused(tmp_path: Path, database_url: str, box: Mailbox) -> None:
    brief = RecoverySettings(reset_seconds=1)
    with running(tmp_path, database_url, mail=mail_to(box), public_url=BASE, recovery=brief) as site:
        site.register(username="ann", email="ann@x.org")
        mails(site, box, 1)
        token = reset_token(site, box)
        time.sleep(1.1)
        assert ask(site, "reset-password", token=token, password=NEW).status_code == 422
        quiet(site)


def test_inactive_account_gets_no_mail(site: IdentitySite, box: Mailbox) -> None:
    accounts = site.app.authentication.accounts
    accounts.set_active(accounts.named("ann"), active=False)
    assert ask(site, "forgot-password", email="ann@x.org").status_code == 200
    quiet(site)
    assert len(box.arrived) == 1


def test_mails_to_one_address_are_few(site: IdentitySite, box: Mailbox) -> None:
    for _ in range(9):
        assert ask(site, "forgot-password", email="ann@x.org").status_code == 200
    quiet(site)
    assert len(box.arrived) == site.app.settings.recovery.hourly_mails


def test_sign_up_asks_for_confirmation(site: IdentitySite, box: Mailbox) -> None:
    assert not verified(site)
    assert ask(site, "verify-email", token=token_in(site, box, 1)).status_code == 200
    assert verified(site)
    assert ask(site, "verify-email", token=token_in(site, box, 1)).status_code == 422


def test_confirmation_is_mailed_again(site: IdentitySite, box: Mailbox) -> None:
    assert ask(site, "verify-email/resend", email="ANN@x.org").status_code == 200
    assert ask(site, "verify-email/resend", email="nobody@x.org").status_code == 200
    assert ask(site, "verify-email", token=token_in(site, box, 2)).status_code == 200
    ask(site, "verify-email/resend", email="ann@x.org")
    quiet(site)
    assert len(box.arrived) == 2


def test_looking_at_a_link_uses_nothing_up(site: IdentitySite, box: Mailbox) -> None:
    token = token_in(site, box, 1)
    for _ in range(2):
        page = site.send("GET", f"/api/auth/verify-email?token={token}")
        assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert not verified(site)
    done = site.client().post("/api/auth/verify-email", data={"token": token})
    assert (done.status_code, done.content_type) == (200, "text/html; charset=utf-8")
    assert "The address is confirmed" in done.text
    assert verified(site)


def test_form_changes_the_password(site: IdentitySite, box: Mailbox) -> None:
    token = reset_token(site, box)
    page = site.send("GET", f"/api/auth/reset-password?token={token}")
    assert token in page.text
    short = site.client().post("/api/auth/reset-password", data={"token": token, "password": "short"})
    assert short.status_code == 422
    assert 'type="password"' in short.text
    done = site.client().post("/api/auth/reset-password", data={"token": token, "password": NEW})
    assert done.status_code == 200
    assert site.login(username="ann", password=NEW).status_code == 200


def test_page_escapes_what_is_sent(site: IdentitySite) -> None:
    page = site.send("GET", "/api/auth/reset-password?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in page.text


def change(site: IdentitySite, token: str, email: str, password: str = PASSWORD) -> TestResponse:
    body = {"email": email, "password": password}
    return site.send("POST", "/api/auth/change-email", body, Authorization=f"Bearer {token}")


def test_new_address_counts_once_confirmed(site: IdentitySite, box: Mailbox) -> None:
    ask(site, "verify-email", token=token_in(site, box, 1))
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    assert change(site, session, "ann@new.org").status_code == 200
    assert site.me(session).json["email"] == "ann@x.org"  # type: ignore[index]
    assert mails(site, box, 2)[1]["To"] == "ann@new.org"
    assert ask(site, "verify-email", token=token_in(site, box, 2)).status_code == 200
    account = site.app.authentication.accounts.named("ann")
    assert (account["email"], account["email_verified"]) == ("ann@new.org", True)
    assert mails(site, box, 3)[2]["To"] == "ann@x.org"  # the old address is told
    assert "changed" in box.arrived[2]["Subject"]


def test_changing_the_address_wants_the_password(site: IdentitySite, box: Mailbox) -> None:
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    answer = change(site, session, "thief@x.org", "wrong")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/password")  # type: ignore[index]
    assert change(site, session, "no address").status_code == 422
    assert change(site, "", "thief@x.org").status_code == 401


def test_wrong_present_passwords_are_slowed_down(site: IdentitySite) -> None:
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    statuses = [change(site, session, "thief@x.org", f"wrong {at}").status_code for at in range(13)]
    assert statuses[:10] == [422] * 10
    assert statuses[-1] == 429


def test_anothers_address_is_not_told(site: IdentitySite, box: Mailbox) -> None:
    site.register(username="bob", email="bob@x.org")
    mails(site, box, 2)
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    assert change(site, session, "bob@x.org").json == change(site, session, "free@x.org").json
    assert [mail["To"] for mail in mails(site, box, 3)[2:]] == ["free@x.org"]


def test_older_link_cannot_bring_an_address_back(site: IdentitySite, box: Mailbox) -> None:
    old = token_in(site, box, 1)
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    change(site, session, "ann@new.org")
    ask(site, "verify-email", token=token_in(site, box, 2))
    assert ask(site, "verify-email", token=old).status_code == 422
    assert site.app.authentication.accounts.named("ann")["email"] == "ann@new.org"


def test_owner_of_the_address_drives_the_squatter_out(site: IdentitySite, box: Mailbox) -> None:
    session = site.login(username="ann").json["token"]  # type: ignore[index]
    body = {"name": "back door", "scopes": ["host.account:me"]}
    key = site.send("POST", "/api/host/keys", body, Authorization=f"Bearer {session}").json["key"]  # type: ignore[index]
    assert ask(site, "reset-password", token=reset_token(site, box), password=NEW).status_code == 200
    assert site.me(session).status_code == 401
    assert site.me(key).status_code == 401


def test_reset_opens_a_locked_account(site: IdentitySite, box: Mailbox) -> None:
    for at in range(13):
        site.login(username="ann", password=f"wrong {at}")
    assert site.login(username="ann").status_code == 429
    assert ask(site, "reset-password", token=reset_token(site, box), password=NEW).status_code == 200
    assert site.login(username="ann", password=NEW).status_code == 200


def test_sign_in_may_want_a_confirmed_address(tmp_path: Path, database_url: str, box: Mailbox) -> None:
    strict = RecoverySettings(verified_only=True)
    with running(tmp_path, database_url, mail=mail_to(box), public_url=BASE, recovery=strict) as site:
        assert site.register(username="ann", email="ann@x.org").json["code"] == "unverified_address"  # type: ignore[index]
        assert site.login(username="ann").status_code == 403
        assert site.login(username="ann", password="wrong").status_code == 401
        ask(site, "verify-email", token=token_in(site, box, 1))
        assert site.login(username="ann").status_code == 200
        quiet(site)


@pytest.mark.parametrize("missing", ["mail", "public_url"])
def test_without_mail_the_answer_is_503(tmp_path: Path, box: Mailbox, missing: str) -> None:
    settings = {"mail": mail_to(box), "public_url": BASE}
    del settings[missing]
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}", **settings) as site:
        assert site.register(username="ann", email="ann@x.org").status_code == 201
        answer = ask(site, "forgot-password", email="ann@x.org")
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")  # type: ignore[index]
        assert box.arrived == []


def test_development_writes_the_link_to_a_file(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8123"
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}", is_embedded=True, embedded_url=url) as site:
        site.register(username="ann", email="ann@x.org")
        ask(site, "forgot-password", email="ann@x.org")
        quiet(site)
        last = max((tmp_path / "var" / "mail").iterdir())  # the names are ordered by time
        body = message_from_bytes(last.read_bytes(), policy=default).get_body(("plain",))
        assert body is not None
        found = re.search(rf"{url}/api/auth/reset-password\?token=([\w-]+)", body.get_content())
        assert found is not None
        assert ask(site, "reset-password", token=found[1], password=NEW).status_code == 200


def test_front_end_shows_its_own_page(tmp_path: Path, box: Mailbox) -> None:
    own = RecoverySettings(reset_page="https://front.example.org/reset?lang=en")
    url = f"sqlite:///{tmp_path / 'local.db'}"
    with running(tmp_path, url, mail=mail_to(box), public_url=BASE, recovery=own) as site:
        site.register(username="ann", email="ann@x.org")
        mails(site, box, 1)
        reset_token(site, box)
        body = box.arrived[1].get_body(("plain",))
        assert body is not None
        assert "https://front.example.org/reset?lang=en&token=" in body.get_content()
        quiet(site)
