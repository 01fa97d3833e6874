"""`ctx.mail`: the mail of a plugin's code, made of its templates and sent by a job of the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from host.errors import Unavailable

if TYPE_CHECKING:
    from host.service.context import Context


class Post(Protocol):
    """What sends mail; `host.mail` is one, of which the service level knows no more than this."""

    @property
    def is_on(self) -> bool:
        """Whether messages arrive anywhere."""

    def demand(self) -> None:
        """Raise Unavailable when mail is off."""

    def send_template(
        self, ctx: Context, template: str, to: str, values: Mapping[str, Any], mail_id: str | None = None
    ) -> str:
        """Have the mail of a template sent once the transaction is committed; answers the id of the job."""


@dataclass(frozen=True)
class Mail:
    """The door of one context."""

    ctx: Context

    @property
    def is_on(self) -> bool:
        """Whether this site sends mail at all."""
        return self._post is not None and self._post.is_on

    def send(
        self, to: str, template: str, data: Mapping[str, Any] | None = None, *, mail_id: str | None = None
    ) -> str:
        """Send the mail of a template to one address, once this transaction is committed; never, when it is rolled back.

        `template` is `reminder` for the plugin's own `mail/reminder.txt` (and `.html`), which gets `data`. `mail_id` becomes
        the message's id, so that whoever gets it twice can tell; by default that of the job, whose id is answered. Raises
        Invalid for an address that is none, and Unavailable where the site sends no mail.
        """
        post = self._post
        if post is None:
            raise Unavailable("this app sends no mail")
        name = template if "/" in template else f"{self.ctx.plugin}/{template}"
        return post.send_template(self.ctx, name, to, data or {}, mail_id)

    @property
    def _post(self) -> Post | None:
        return self.ctx.runtime.mail
