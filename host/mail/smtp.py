"""Handing one message to the SMTP server of the settings, with the encryption that they ask for and never with less."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from host.settings import MailSettings


class Undelivered(Exception):
    """The server did not take the message; `is_final` where trying again would change nothing."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


def deliver(settings: MailSettings, message: EmailMessage) -> None:
    """Send a message. Raises Undelivered."""
    try:
        with _connected(settings) as server:
            if settings.tls == "starttls":
                server.starttls(context=_trust(settings))
            if settings.user:
                server.login(settings.user, settings.password)
            server.send_message(message)
    except smtplib.SMTPResponseException as error:
        is_final = error.smtp_code >= 500
        raise Undelivered(f"the server said {error.smtp_code}", is_final=is_final) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise Undelivered(
            f"the server refused the address with {codes[0]}", is_final=codes[0] >= 500
        ) from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise Undelivered(f"{type(error).__name__}: {error}", is_final=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"{type(error).__name__}: {error}", is_final=False) from error


def _connected(settings: MailSettings) -> smtplib.SMTP:
    if settings.tls == "tls":
        context = _trust(settings)
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=context)
    return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)


def _trust(settings: MailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    return context
