"""Where a request comes from, as whoever counts attempts wants to know it. The operations of identity call it."""

from __future__ import annotations

from host.auth.origins import Origin
from host.web.http import Request

DEVICE_COOKIE = "hostwright_device"


def origin_of(request: Request) -> Origin:
    """The caller's address, and the device text in its cookies."""
    return Origin(request.remote, request.cookie(DEVICE_COOKIE))
