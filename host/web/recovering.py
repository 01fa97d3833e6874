"""Putting the parts of recovery together: links, mail and its templates. `authentication` calls it once."""

from __future__ import annotations

from host.auth.accounts import Accounts
from host.auth.api_keys import ApiKeys
from host.auth.background import Background
from host.auth.links import Links
from host.auth.recovery import Recovery
from host.service.runtime import Runtime
from host.settings import Settings


def make_recovery(runtime: Runtime, settings: Settings, accounts: Accounts, keys: ApiKeys) -> Recovery:
    """Everything that a mailed link needs; connects to nothing yet."""
    assert runtime.mail is not None  # `application` makes both
    return Recovery(
        accounts=accounts, keys=keys, links=Links(runtime), settings=settings.recovery,
        mailer=runtime.mail,
        public_url=settings.public_url or (settings.embedded_url if settings.is_embedded else ""),
        background=Background("recovery"),
    )  # fmt: skip
