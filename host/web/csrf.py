"""Whether a request that is signed in by a cookie comes from the application's own pages.

Other sites can make a browser send cookies, but cannot read the CSRF cookie to repeat it in a header, and cannot lie about
`Origin`. The token is an HMAC of the session, so that one planted by another host of the domain is of no use.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from host.declaration.nodes import Credential
from host.errors import CsrfFailed
from host.web.http import Request

SAFE: Final = ("GET", "HEAD", "OPTIONS")
LENGTH: Final = 40  # hexadecimal digits


class Csrf:
    """The CSRF tokens of one app; `trusted` are other origins whose pages may send cookies here."""

    def __init__(self, secret: str, trusted: tuple[str, ...] = ()) -> None:
        self._key = sha256(b"hostwright csrf " + secret.encode()).digest()
        self._trusted = frozenset(origin.lower().rstrip("/") for origin in trusted)

    def token(self, session: str) -> str:
        """The token of a session."""
        return hmac.new(self._key, session.encode(), sha256).hexdigest()[:LENGTH]

    def check(self, request: Request, credential: Credential, session: str | None) -> None:
        """Raise CsrfFailed unless a page of this site sent a request that changes something."""
        if request.method in SAFE:
            return
        self.check_origin(request)
        given = request.header(credential.csrf_header.lower()) or ""
        if not hmac.compare_digest(given.encode(errors="replace"), self.token(session or "").encode()):
            raise CsrfFailed(
                f"send the value of the cookie {credential.csrf_cookie} in the header {credential.csrf_header}"
            )

    def check_origin(self, request: Request) -> None:
        """Raise CsrfFailed for a request from a page of another site."""
        origin = request.header("origin")
        if origin is None:
            if (request.header("sec-fetch-site") or "") == "cross-site":
                raise CsrfFailed("this comes from a page of another site")
            return
        if origin.lower() not in self._trusted and not _is_own(origin, request):
            raise CsrfFailed("this comes from a page of another site")


def _is_own(origin: str, request: Request) -> bool:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    # Behind a proxy that ends TLS the request looks like http; a page of the same host over http never counts on https.
    is_scheme = parts.scheme == "https" or (parts.scheme == "http" and request.scheme == "http")
    return is_scheme and bool(parts.netloc) and parts.netloc == request.host.lower()
