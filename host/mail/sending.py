"""Sending in the background: nobody waits for an SMTP server. `auth` calls it; a queue that survives a crash may carry it later.

`Mailer.send_after_commit` is the one place where mail leaves the host.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from host.errors import Unavailable
from host.mail.background import LAST_SECONDS, Background
from host.mail.messages import Message, check_sender
from host.service.context import Context
from host.settings import MailSettings

PAUSES: Final = (1.0, 5.0, 30.0)  # before trying again what may succeed later
log = logging.getLogger("hostwright.mail")


class Mailer:
    """Sends the mail of one app. Without a server in the settings it is off; in development it then logs what it would send."""

    def __init__(
        self, settings: MailSettings, *, logs: bool = False, pauses: Sequence[float] = PAUSES
    ) -> None:
        if settings.host:
            check_sender(settings.sender)
        self._settings, self._logs, self._pauses = settings, logs, pauses
        self._background = Background("mail")

    @property
    def is_on(self) -> bool:
        """Whether messages arrive anywhere: in a mailbox, or in the log of a development run."""
        return bool(self._settings.host) or self._logs

    def demand(self) -> None:
        """Raise Unavailable when mail is off."""
        if not self.is_on:
            raise Unavailable("this site sends no mail; ask its operator")

    def send_after_commit(self, ctx: Context, message: Message) -> None:
        """Send a message once the transaction of the context is committed; never, when it is rolled back."""
        ctx.after_commit(partial(self.send, message))

    def send(self, message: Message) -> None:
        """Hand a message to the background. Raises Unavailable when too many wait."""
        self.demand()
        if not self._settings.host:
            log.warning(
                "mail is off; this would go to %s:\n%s\n\n%s", message.to, message.subject, message.text
            )
            return
        self._background.do(partial(self._deliver, message))

    def flush(self, seconds: float = LAST_SECONDS) -> bool:
        """Wait until everything has been sent or given up; whether that is so."""
        return self._background.flush(seconds)

    def _deliver(self, message: Message) -> None:
        """Try until it is taken, or until trying is in vain. What it says is never logged: it may hold a link."""
        from host.mail.smtp import Undelivered, deliver  # loads TLS, which commands do not need

        for pause in (*self._pauses, None):
            try:
                deliver(self._settings, message.email(self._settings.sender))
                return
            except Undelivered as error:
                if error.is_final or pause is None:
                    log.error("a mail %r was not delivered: %s", message.subject, error)
                    return
                log.warning("a mail %r has to wait: %s", message.subject, error)
                time.sleep(pause)
