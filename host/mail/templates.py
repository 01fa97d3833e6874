"""Mails out of Jinja2 templates: those of the host, and those in a plugin's folder `mail/`.

`<name>.txt` begins with a line `Subject: …` and an empty one; `<name>.html`, where there is one, is the same for programs
that show HTML. A site's own folder `mail/` wins over the host's, so that its words and looks are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from host.errors import ConfigurationError
from host.mail.messages import Message

if TYPE_CHECKING:
    from jinja2 import Environment

OWN: Final = Path(__file__).parent / "templates"
FOLDER: Final = "mail"
SUBJECT: Final = "Subject:"


class Templates:
    """The templates of one app; `folders` are those of its plugins and of the site, by name."""

    def __init__(self, site: str, folders: Mapping[str, Path]) -> None:
        self._site, self._folders = site, dict(folders)

    def message(self, template: str, to: str, /, **values: Any) -> Message:
        """The mail of a template: `host/reset_password`, or `<plugin>/<name>`. HTML is escaped, text is not."""
        from jinja2 import TemplateNotFound

        told = {"site": self._site, **values}
        try:
            head, _, text = self._environment.get_template(f"{template}.txt").render(told).partition("\n")
        except TemplateNotFound as error:
            raise ConfigurationError(f"there is no template {error.name} for a mail") from error
        if not head.startswith(SUBJECT):
            raise ConfigurationError(f"the template {template}.txt has to begin with `{SUBJECT} …`")
        try:
            html = self._environment.get_template(f"{template}.html").render(told)
        except TemplateNotFound:
            html = None
        return Message(to, " ".join(head.removeprefix(SUBJECT).split())[:200], text.strip() + "\n", html)

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import (
            ChoiceLoader,
            Environment,
            FileSystemLoader,
            PrefixLoader,
            StrictUndefined,
            select_autoescape,
        )

        site = self._folders.get("site")
        own = [FileSystemLoader(site / FOLDER / "host")] if site is not None else []
        loaders: dict[str, Any] = {
            name: FileSystemLoader(folder / FOLDER) for name, folder in self._folders.items()
        }
        loaders["host"] = ChoiceLoader([*own, FileSystemLoader(OWN)])
        return Environment(
            loader=PrefixLoader(loaders), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
        )
