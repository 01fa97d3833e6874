"""Where a request comes from, as whoever counts attempts wants to know it, and the cookie that tells a device again.

The operations of identity call it. Only browsers keep the cookie, so only they get one.
"""

from __future__ import annotations

from typing import Final

from host.auth.origins import Origin
from host.auth.throttling import Throttle
from host.web import cookies
from host.web.http import Request

DEVICE: Final = "hostwright_device"
DEVICE_SECONDS: Final = 90 * 24 * 3600


def origin_of(request: Request) -> Origin:
    """The caller's address, and the device text in its cookies."""
    return Origin(request.remote, cookies.hidden_of(request, DEVICE))


def device_headers(request: Request, throttle: Throttle | None, account: str) -> list[tuple[str, str]]:
    """What makes a browser known as one in which the account has signed in."""
    if throttle is None or request.header("sec-fetch-mode") is None:
        return []
    if throttle.marks.device(origin_of(request), account) is not None:
        return []
    text = throttle.marks.new_device(account)
    return [cookies.hidden(request, DEVICE, text, DEVICE_SECONDS)]
