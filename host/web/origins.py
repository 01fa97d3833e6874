"""Where a request comes from, as whoever counts attempts wants to know it. The operations of identity call it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from host.auth.origins import Origin
from host.web.http import Request

DEVICE_COOKIE = "hostwright_device"


def origin_of(request: Request) -> Origin:
    """The caller's address, and the device text in its cookies."""
    return Origin(request.remote, cookie(request, DEVICE_COOKIE))


def cookie(request: Request, name: str) -> str:
    """The value of a cookie; empty when there is none, or when the header cannot be read."""
    header = request.header("cookie")
    if not header or name not in header:
        return ""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""
