"""Mail as jobs: stored, sealed, in the transaction that wants it, and handed over by a worker.

`Mailer.send_after_commit` is the one place where mail leaves the host. `auth` calls it, and plugins by `ctx.mail`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from host.errors import Unavailable
from host.mail.messages import Message, check_sender
from host.mail.templates import Templates
from host.service.context import Context
from host.settings import MailSettings

JOB: Final = "host.send_mail"
NOBODY: Final = "no-reply@localhost"  # the sender of mails that only go into a folder
log = logging.getLogger("hostwright.mail")


class Mailer:
    """Sends the mail of one app. Without a server in the settings mails become files in `folder`; without that it is off."""

    def __init__(
        self, settings: MailSettings, templates: Templates | None = None, *, folder: Path | None = None
    ) -> None:
        if settings.host:
            check_sender(settings.sender)
        self._settings, self._folder = settings, folder
        self._templates = templates or Templates("", {})

    @property
    def is_on(self) -> bool:
        """Whether messages arrive anywhere: in a mailbox, or in the folder of a development run."""
        return bool(self._settings.host) or self._folder is not None

    def demand(self) -> None:
        """Raise Unavailable when mail is off."""
        if not self.is_on:
            raise Unavailable("this site sends no mail; ask its operator")

    def send_template(
        self, ctx: Context, template: str, to: str, values: Mapping[str, Any], mail_id: str | None = None
    ) -> str:
        """Send the mail of a template, as `send_after_commit` does."""
        message = self._templates.message(template, to, **values)
        return self.send_after_commit(ctx, replace(message, id=mail_id))

    def send_after_commit(self, ctx: Context, message: Message) -> str:
        """Have a message sent once the transaction of the context is committed, or now where there is none.

        Answers the id of the job; never sent, when the transaction is rolled back. Raises Unavailable when mail is off.
        """
        self.demand()
        if ctx.work is not None:
            return ctx.jobs.enqueue(JOB, asdict(message))
        with ctx.writing() as own:
            return own.jobs.enqueue(JOB, asdict(message))

    def deliver(self, message: Message) -> None:
        """Hand a message over at once; a worker does. Raises Undelivered. What it says is never logged: it may hold a link."""
        self.demand()
        if self._settings.host:
            from host.mail.smtp import deliver  # loads TLS, which commands do not need

            deliver(self._settings, message.email(self._settings.sender))
        elif self._folder is not None:
            path = _written(self._folder, message, self._settings.sender or NOBODY)
            log.warning("no mail server is set: a mail to %s lies in %s", message.to, path)


def _written(folder: Path, message: Message, sender: str) -> Path:
    """The file that a message has become, which nobody else on the machine reads; the same one when it is sent again."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = message.email(sender)
    path = folder / f"{made['Message-ID'].strip('<>').rpartition('@')[0]}.eml"
    draft = path.with_suffix(".draft")  # whoever looks for mails finds whole ones
    draft.touch(mode=0o600)
    draft.write_bytes(made.as_bytes())
    return draft.replace(path)
