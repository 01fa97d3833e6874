"""The host's job that sends a mail. Workers call it by `host/resources/mail.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from host.jobs.failures import JobFailed, JobRefused
from host.mail.messages import Message
from host.mail.sending import Mailer
from host.service.context import Context

UNDELIVERED = "undelivered"


def send_mail(ctx: Context, data: Mapping[str, Any]) -> None:
    """Hand over one mail. Sent again after a crash it has the same Message-ID: its own, or that of the job."""
    from host.mail.smtp import Undelivered  # loads TLS, which only workers need

    mailer = ctx.runtime.mail
    assert isinstance(mailer, Mailer)  # `application` makes both
    message = Message(**data)
    try:
        mailer.deliver(message if message.id is not None else replace(message, id=ctx.job.id))
    except Undelivered as error:
        reason = f"the mail {message.subject!r} was not delivered: {error}"
        raise (JobRefused if error.is_final else JobFailed)(UNDELIVERED, reason) from error
