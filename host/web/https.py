"""Who may ask at all: over HTTPS, and for a name of this site. `application` adds these steps on servers.

Requests of this machine itself pass, and those for its health and metrics, which balancers and monitors ask for over plain
HTTP by address.
"""

from __future__ import annotations

from urllib.parse import quote

from host.errors import HttpsRequired, Misdirected
from host.settings.proxy import host_name
from host.web.forwarded import is_local
from host.web.http import Answer, Request
from host.web.steps import Arrival

OPERATING = ("/health", "/metrics")
LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_KEPT = "=&%+,;:@/?!$'()*~[]-._"


def only_https(public_url: str) -> Arrival:
    """The step that redirects reading and refuses all else: what was written has been seen on its way already."""
    authority = public_url.removeprefix("https://") if public_url.startswith("https://") else ""

    def arrive(request: Request) -> Answer | None:
        if request.scheme == "https" or is_local(request.remote) or request.path.startswith(OPERATING):
            return None
        name = authority or host_name(request.host)
        if request.method not in ("GET", "HEAD") or not name:
            raise HttpsRequired("ask over https: nothing is done for what comes in the clear")
        query = f"?{quote(request.query, safe=_KEPT)}" if request.query else ""
        location = f"https://{name}{quote(request.path, safe=_KEPT)}{query}"
        return Answer(308, b"", None, [("Location", location), ("Cache-Control", "no-store")])

    return arrive


def known_hosts(hosts: frozenset[str]) -> Arrival:
    """The step that refuses names of others, which would end up in links and in caches."""
    exact = frozenset(name for name in hosts if not name.startswith("."))
    below = tuple(name for name in hosts if name.startswith("."))

    def arrive(request: Request) -> None:
        name = host_name(request.host)
        if name in exact or (below and name.endswith(below)) or request.path.startswith(OPERATING):
            return
        if not ((name in LOOPBACK or not request.host) and is_local(request.remote)):
            raise Misdirected("this name is not one of the site")

    return arrive
