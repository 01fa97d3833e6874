"""Mail: messages made of templates and handed to an SMTP server, after the transaction that wanted them has been committed."""

from host.mail.messages import Message
from host.mail.sending import Mailer
from host.mail.templates import Templates

__all__ = ["Mailer", "Message", "Templates"]
