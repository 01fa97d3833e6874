"""What the operator decides about mail: the server that takes it, and what its links promise. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """The SMTP server; without a host no mail is sent."""

    host: str = setting("", "MAIL_HOST")
    port: int = setting(587, "MAIL_PORT")
    tls: Literal["starttls", "tls", "off"] = setting("starttls", "MAIL_TLS")
    user: str = setting("", "MAIL_USER")
    password: str = setting("", "MAIL_PASSWORD", secret=True)
    sender: str = setting("", "MAIL_FROM")
    timeout: int = setting(15, "MAIL_TIMEOUT")
    ca_file: str = setting("", "MAIL_CA_FILE")  # who signs the server's certificate, beyond the system's


@dataclass(frozen=True, kw_only=True)
class RecoverySettings:
    """Links that are mailed: a forgotten password, a new address."""

    reset_seconds: int = setting(3600, "RESET_LINK_SECONDS")
    verify_seconds: int = setting(3 * 24 * 3600, "VERIFY_LINK_SECONDS")
    reset_page: str = setting("", "RESET_PAGE")  # a page of the front end, instead of the host's own
    verify_page: str = setting("", "VERIFY_PAGE")
    verified_only: bool = setting(False, "VERIFIED_SIGN_IN")
    hourly_mails: int = setting(5, "MAILS_PER_ADDRESS")
