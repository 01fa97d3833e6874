"""A forgotten password of somebody whom another system's user table knows: the new one is written there, too."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from host.auth import hashes
from host.mail import Mailer
from host.settings import MailSettings
from tests.support.sites import Core, Declare

NEW = "another fine horse"
USERS = """
resources:
  user:
    table: legacy_user
    key: int
    stored: django
    operations: []
    identity: {key: number, username: username, email: email, password: password, active: is_active, hashes: [pbkdf2_sha256]}
    fields:
      username: {type: string, max: 150, required: true, unique: true}
      email: {type: email, required: true, unique: true}
      password: {type: string, max: 128, required: true}
      is_active: {type: boolean, default: true}
    access: {read: authenticated}
"""


@pytest.fixture(scope="module")
def site(declare: Declare) -> Core:
    return declare(USERS)


def test_password_is_replaced_in_both_tables(
    site: Core, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 1000)
    yes = "1" if site.dialect == "sqlite" else "true"
    with site.site.database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO legacy_user (username, email, password, is_active)"
            f" VALUES ('old', 'old@x.org', 'pbkdf2_sha256$1000$salt$nothing', {yes})"
        )
    recovery = site.site.app.authentication.recovery
    mailer = Mailer(MailSettings(), folder=tmp_path)
    mailing = replace(recovery, mailer=mailer, public_url="https://app.example.org")
    mailing.forgot("Old@x.org")
    assert mailing.background.flush()
    monkeypatch.setattr(
        site.site, "app", replace(site.site.app, runtime=replace(site.site.runtime, mail=mailer))
    )
    site.site.run_jobs()
    (written,) = tmp_path.glob("*.eml")
    body = message_from_bytes(written.read_bytes(), policy=default).get_body(("plain",))
    assert body is not None
    found = re.search(r"token=([\w-]+)", body.get_content())
    assert found is not None
    body = {"token": found[1], "password": NEW}
    assert site.anonymous.post("/api/auth/reset-password", body).status == 200
    signed_in = site.anonymous.post("/api/auth/login", {"username": "old", "password": NEW})
    assert signed_in.status == 200, signed_in.body
    with site.site.database.writing() as connection:
        rows = connection.exec_driver_sql("SELECT email, password FROM legacy_user").all()
    assert [row[0] for row in rows] == ["old@x.org"]
    assert rows[0][1].startswith("pbkdf2_sha256$1000$")
    assert not rows[0][1].endswith("$nothing")
