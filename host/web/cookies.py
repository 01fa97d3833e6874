"""Cookies of a sign-in: the tokens where no script can read them, and the CSRF token where the pages can.

`Secure` and the prefix `__Host-` (no other host of the domain can plant such a cookie) everywhere but on a loopback address
without TLS, where browsers would not keep them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from host.auth.grants import Grant
from host.declaration.nodes import Credential, Declaration, Endpoint, Wire
from host.web.http import Request

ACCESS: Final = "hostwright_access"
REFRESH: Final = "hostwright_refresh"
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
Header = tuple[str, str]


def csrf_names(declaration: Declaration) -> tuple[str, ...]:
    """Every name under which the pages of a site look for the CSRF token; all hold the same."""
    wires = [wire for resource in declaration.resources.values() for wire in resource.wires.values()]
    nodes: list[Wire | Endpoint] = [*wires, *declaration.endpoints.values()]
    declared = [node.credential for node in nodes if node.credential]
    return tuple(dict.fromkeys(it.csrf_cookie for it in (Credential(), *declared)))


def access_of(request: Request) -> str:
    """The access token in the cookies; empty without one."""
    return request.cookie(_name(request, ACCESS))


def refresh_of(request: Request) -> str:
    """The refresh token in the cookies; empty without one."""
    return request.cookie(_name(request, REFRESH))


def hidden_of(request: Request, name: str) -> str:
    """The value of a cookie that no script can read; empty without one."""
    return request.cookie(_name(request, name))


def hidden(request: Request, name: str, value: str, seconds: int) -> Header:
    """The header that keeps such a cookie, sent from the site's own pages alone."""
    return _set(request, name, value, seconds, "Strict", is_hidden=True)


def granted(request: Request, grant: Grant, csrf: str, names: Iterable[str]) -> list[Header]:
    """The headers that sign a browser in."""
    session = _left(grant.ends_at.timestamp())
    found = [_set(request, ACCESS, grant.token, _left(grant.expires_at.timestamp()), "Lax", is_hidden=True)]
    if grant.refresh_token is not None:
        found.append(_set(request, REFRESH, grant.refresh_token, session, "Strict", is_hidden=True))
    return found + [_set(request, name, csrf, session, "Lax") for name in names]


def cleared(request: Request, names: Iterable[str]) -> list[Header]:
    """The headers that sign a browser out."""
    hidden = [_set(request, name, "", 0, "Lax", is_hidden=True) for name in (ACCESS, REFRESH)]
    return hidden + [_set(request, name, "", 0, "Lax") for name in names]


def _left(until: float) -> int:
    return max(0, int(until - time.time()))


def _set(
    request: Request, name: str, value: str, seconds: int, site: str, *, is_hidden: bool = False
) -> Header:
    name = _name(request, name) if is_hidden else name
    rest = [f"Max-Age={seconds}", "Path=/", f"SameSite={site}"]
    rest += ["Secure"] if _is_secure(request) else []
    rest += ["HttpOnly"] if is_hidden else []
    return "Set-Cookie", "; ".join([f"{name}={value}", *rest])


def _name(request: Request, name: str) -> str:
    return f"__Host-{name}" if _is_secure(request) else name


def _is_secure(request: Request) -> bool:
    host = request.host.lower()
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return request.scheme == "https" or name not in LOOPBACK
