"""The mailer of a site, out of its settings and its plugins' folders. The composition root calls it."""

from __future__ import annotations

from host.declaration.nodes import Declaration
from host.mail.sending import Mailer
from host.mail.templates import Templates
from host.settings import Settings


def make_mailer(settings: Settings, declaration: Declaration) -> Mailer:
    """Connects to nothing yet. An embedded run without a server writes its mails to `var/mail`."""
    folders = {plugin.name: plugin.folder for plugin in declaration.plugins if plugin.folder is not None}
    templates = Templates(declaration.site.name, {**folders, "site": settings.root})
    folder = settings.root / "var" / "mail" if settings.is_embedded else None
    return Mailer(settings.mail, templates, folder=folder)
