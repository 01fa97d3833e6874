"""Settings that contradict each other, or promise what they take back: nothing is served with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from host.errors import ConfigurationError
from host.settings.proxy import host_name
from host.settings.reading import PREFIX

if TYPE_CHECKING:
    from host.settings.site import Settings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def check_conflicts(settings: Settings) -> None:
    """Raise ConfigurationError with every contradiction."""
    found = [*_origins(settings), *_transport(settings)]
    if found:
        raise ConfigurationError("; ".join(found))


def _origins(settings: Settings) -> Iterator[str]:
    chosen = settings.protection
    if "*" in chosen.origins and chosen.credentials:
        yield f"{PREFIX}CORS_CREDENTIALS is on for every origin there is: name them in {PREFIX}CORS_ORIGINS"
    if chosen.credentials and not chosen.origins:
        yield f"{PREFIX}CORS_CREDENTIALS is on, and {PREFIX}CORS_ORIGINS names nobody"


def _transport(settings: Settings) -> Iterator[str]:
    is_off = settings.protection.https is False
    url = urlsplit(settings.public_url)
    is_plain = url.scheme == "http" and host_name(url.netloc) not in LOOPBACK
    if is_off and settings.environ.get(f"{PREFIX}HSTS_SECONDS") not in (None, "", "off"):
        yield f"{PREFIX}HSTS_SECONDS promises browsers HTTPS, and {PREFIX}HTTPS is off"
    if is_plain and not is_off and not settings.is_embedded:
        yield (
            f"{PREFIX}PUBLIC_URL is plain http, and plain HTTP is refused: make it https, or set {PREFIX}HTTPS=off"
        )
    if settings.identity.cookies and is_plain:
        yield f"{PREFIX}COOKIES is on for a site at a plain http address: everybody on the way could take them"
