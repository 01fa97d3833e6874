"""What belongs to identity beside signing up and in: pictures, API keys, forgotten passwords, other providers.

`application` asks once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from host.auth.oidc import Oidc
from host.errors import ConfigurationError
from host.web.api_keys import ApiKeyOperations
from host.web.authentication import Authentication
from host.web.avatars import AvatarOperations
from host.web.oidc import OidcOperations
from host.web.operations import Operation
from host.web.recovery import RecoveryOperations
from host.web.scopes import targets


def identity_operations(
    authentication: Authentication, served: Callable[[], Sequence[Operation]]
) -> Iterator[Operation]:
    """Every operation; `served` answers all operations of the app, once they are known."""
    accounts, keys = authentication.accounts, authentication.keys
    site = accounts.runtime.registry.declaration.site.name
    yield from AvatarOperations(accounts.runtime).operations()
    yield from ApiKeyOperations(accounts, keys, lambda: targets(served())).operations()
    yield from RecoveryOperations(authentication.recovery, site).operations()
    yield from OidcOperations(_oidc(authentication), authentication.identity).operations()


def _oidc(authentication: Authentication) -> Oidc:
    settings = authentication.settings
    if settings.oidc.providers and not authentication.recovery.public_url:
        raise ConfigurationError("set HOSTWRIGHT_PUBLIC_URL: sign-in providers send people back to it")
    return Oidc(
        accounts=authentication.accounts, links=authentication.recovery.links, settings=settings.oidc,
        public_url=authentication.recovery.public_url, secret=settings.secret, is_open=settings.identity.sign_up,
    )  # fmt: skip
