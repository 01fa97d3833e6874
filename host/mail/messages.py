"""What is mailed: one frozen record, which refuses whatever could become a header of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate, make_msgid, parseaddr
from typing import TYPE_CHECKING

from host.errors import ConfigurationError, Invalid
from host.fields.inputs import EMAIL

if TYPE_CHECKING:
    from email.message import EmailMessage

LONGEST_SUBJECT = 200
_ID = re.compile(r"(?=.{1,120}\Z)[\w-]+(\.[\w-]+)*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Message:
    """A mail to one person. Raises Invalid for an address or a subject that is none."""

    to: str
    subject: str
    text: str
    html: str | None = None
    id: str | None = None  # what makes its Message-ID, the same one whenever it is sent again

    def __post_init__(self) -> None:
        if _CONTROL.search(self.to) or EMAIL.fullmatch(self.to) is None:
            raise Invalid.at("/to", "email", "not an e-mail address")
        if _CONTROL.search(self.subject) or not 0 < len(self.subject) <= LONGEST_SUBJECT:
            raise Invalid.at(
                "/subject", "text", f"a subject is one line of at most {LONGEST_SUBJECT} characters"
            )
        if self.id is not None and _ID.fullmatch(self.id) is None:
            raise Invalid.at("/id", "text", "the id of a mail has 1 to 120 letters, digits and . _ -")

    def email(self, sender: str) -> EmailMessage:
        """The message as it goes over the wire."""
        from email.message import EmailMessage  # costs start-up time that commands do not have
        from email.policy import SMTP

        made = EmailMessage(policy=SMTP)
        made["From"], made["To"], made["Subject"] = sender, self.to, self.subject
        made["Date"] = formatdate(localtime=False)
        domain = parseaddr(sender)[1].rpartition("@")[2]
        made["Message-ID"] = f"<{self.id}@{domain}>" if self.id is not None else make_msgid(domain=domain)
        made["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday answers it
        made.set_content(self.text)
        if self.html is not None:
            made.add_alternative(self.html, subtype="html")
        return made


def check_sender(sender: str) -> None:
    """Raise ConfigurationError for a sender that no mail can come from."""
    if _CONTROL.search(sender) or EMAIL.fullmatch(parseaddr(sender)[1]) is None:
        raise ConfigurationError(
            "set HOSTWRIGHT_MAIL_FROM to an address: no-reply@example.org, or Name <address>"
        )
