"""The host's job that sends a mail. Workers call it by `host/resources/mail.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from host.mail.messages import Message
from host.mail.sending import Mailer
from host.service.context import Context


def send_mail(ctx: Context, data: Mapping[str, Any]) -> None:
    """Hand over one mail. Sent again after a crash it has the same Message-ID: its own, or that of the job."""
    mailer = ctx.runtime.mail
    assert isinstance(mailer, Mailer)  # `application` makes both
    message = Message(**data)
    mailer.deliver(message if message.id is not None else replace(message, id=ctx.job.id))
