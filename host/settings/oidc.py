"""What the operator decides about OpenID Connect: any number of providers, each with variables of its own.

`HOSTWRIGHT_OIDC_PROVIDERS` names them; the provider `acme` is read from `HOSTWRIGHT_OIDC_ACME_ISSUER` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from host.errors import ConfigurationError
from host.settings.reading import PREFIX, setting

_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")
DEFAULT_SCOPES = ("openid", "email", "profile")


@dataclass(frozen=True, kw_only=True)
class OidcProvider:
    """One provider, as the operator registered the site there."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    label: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES

    def __repr__(self) -> str:
        return f"OidcProvider(name={self.name!r}, issuer={self.issuer!r})"


@dataclass(frozen=True, kw_only=True)
class OidcSettings:
    """Whom to believe, and where a browser goes afterwards."""

    names: tuple[str, ...] = setting((), "OIDC_PROVIDERS")
    return_url: str = setting("", "OIDC_RETURN_URL")
    private_addresses: bool = setting(False, "OIDC_PRIVATE_ADDRESSES")
    timeout: int = setting(10, "OIDC_TIMEOUT")
    providers: tuple[OidcProvider, ...] = ()

    def provider(self, name: str) -> OidcProvider | None:
        """The provider of this name."""
        return next((found for found in self.providers if found.name == name), None)


def with_providers(settings: OidcSettings, given: Mapping[str, str]) -> OidcSettings:
    """The settings with every provider that is named. Raises ConfigurationError for one that is not whole."""
    return replace(settings, providers=tuple(_provider(name, given) for name in settings.names))


def _provider(name: str, given: Mapping[str, str]) -> OidcProvider:
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"{PREFIX}OIDC_PROVIDERS names {name!r}; a name is a word of lower-case letters and digits"
        )
    start = f"{PREFIX}OIDC_{name.upper()}_"
    for wanted in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        if not given.get(start + wanted):
            raise ConfigurationError(
                f"set {start}{wanted}: the provider {name} is named in {PREFIX}OIDC_PROVIDERS"
            )
    scopes = tuple((given.get(f"{start}SCOPES") or " ".join(DEFAULT_SCOPES)).replace(",", " ").split())
    if "openid" not in scopes:
        raise ConfigurationError(f"{start}SCOPES has to hold openid")
    return OidcProvider(
        name=name, issuer=given[f"{start}ISSUER"], client_id=given[f"{start}CLIENT_ID"],
        client_secret=given[f"{start}CLIENT_SECRET"], label=given.get(f"{start}LABEL") or name.capitalize(), scopes=scopes,
    )  # fmt: skip
