"""Who really asks, and how: what a declared proxy says of the hops before it. `application` adds the step where there is one.

Headers of anybody else are never believed. Of a list of hops the last one counts that is not a declared proxy itself, because
every hop before it was written by that one, who may have invented them. Which of the two headers counts is a setting: a proxy
that writes one passes on whatever a client puts into the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from host.settings.proxy import Network, ProxySettings
from host.web.http import Request
from host.web.steps import Arrival

Address = IPv4Address | IPv6Address
MOST_HOPS = 20
LOOPBACK = "127.0.0.1"  # what a unix socket, which has no addresses, counts as
_PAIR = re.compile(r"\s*(\w+)\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*))\s*", re.ASCII)
_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says of whoever asked it."""

    address: Address | None
    scheme: str | None = None


def forwarded(settings: ProxySettings) -> Arrival:
    """The step that puts the real address and scheme into a request."""
    read: Callable[[Request], Iterator[Hop]] = (
        _of_forwarded if settings.header == "forwarded" else _of_x_forwarded
    )
    trusts = lru_cache(maxsize=1024)(
        lambda text: _is_trusted(parse_address(text or LOOPBACK), settings.trusted)
    )

    def arrive(request: Request) -> None:
        if not trusts(request.remote):
            return
        for hop in read(request):
            if hop.scheme is not None:
                request.scheme = hop.scheme
            if hop.address is None:  # unknown, hidden, or nonsense: nothing before it can be believed
                return
            request.remote = str(hop.address)
            if not trusts(request.remote):
                return

    return arrive


def _is_trusted(address: Address | None, trusted: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in trusted)


def _of_x_forwarded(request: Request) -> Iterator[Hop]:
    """The hops of `X-Forwarded-For`, the nearest first. `X-Forwarded-Proto` is what the nearest proxy says."""
    scheme = _scheme((request.header("x-forwarded-proto") or "").rpartition(",")[2])
    texts = (request.header("x-forwarded-for") or "").split(",")
    if texts == [""]:
        if scheme is not None:
            request.scheme = scheme
        return
    for text in reversed(texts[-MOST_HOPS:]):
        yield Hop(parse_address(text), scheme)


def _of_forwarded(request: Request) -> Iterator[Hop]:
    """The hops of `Forwarded` (RFC 7239), the nearest first."""
    for element in reversed((request.header("forwarded") or "").split(",")[-MOST_HOPS:]):
        pairs = {pair[1].lower(): pair[2] or pair[3] for pair in _PAIR.finditer(element)}
        if not pairs:
            return
        yield Hop(parse_address(pairs.get("for", "")), _scheme(pairs.get("proto", "")))


def _scheme(text: str) -> str | None:
    scheme = text.strip().lower()
    return scheme if scheme in ("http", "https") else None


def parse_address(text: str) -> Address | None:
    """An address as headers and sockets say it, with or without port and zone; None for anything else."""
    text = text.strip()
    with_port = _PORT.fullmatch(text)
    if with_port is not None:
        text = with_port[1] or with_port[2]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


@lru_cache(maxsize=4096)
def network_of(remote: str) -> str:
    """By what an address is counted: itself, with IPv6 its /64, because a caller has all of those."""
    address = parse_address(remote)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return remote if address is None else str(address)


def is_local(remote: str) -> bool:
    """Whether a request comes from this machine: over loopback, or over a socket without addresses."""
    if remote in ("127.0.0.1", "", "::1"):
        return True
    address = parse_address(remote)
    return address is not None and address.is_loopback
