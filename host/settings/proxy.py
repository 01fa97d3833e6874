"""How the site is reached: behind which proxies, under which names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal
from urllib.parse import urlsplit

from host.settings.reading import Refused, setting

Network = IPv4Network | IPv6Network
_HOST = re.compile(r"(?:[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


def networks(text: str) -> tuple[Network, ...]:
    """Networks or single addresses, separated by commas."""
    try:
        return tuple(ip_network(word.strip()) for word in text.split(",") if word.strip())
    except ValueError:
        raise Refused("networks and addresses, as 10.0.0.0/8, 192.0.2.7, fd00::/8") from None


def public_url(text: str) -> str:
    """Scheme and host of the site, without a slash at the end."""
    parts = urlsplit(text)
    is_plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https") or not is_plain or not host_name(parts.netloc):
        raise Refused("the address of the site without a path, as https://api.example.org")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def host_names(text: str) -> tuple[str, ...]:
    """Names as they stand in a `Host` header, without ports; `.example.org` stands for every name below."""
    names = tuple(word.strip().lower() for word in text.split(",") if word.strip())
    if not all(_HOST.fullmatch(name.removeprefix(".")) for name in names):
        raise Refused("host names without ports, as api.example.org, .example.org")
    return names


def host_name(host: str) -> str:
    """The name in a `Host` header, in lower case and without its port; empty when it is none."""
    name, _, _ = host.rpartition(":") if re.search(r":[0-9]{1,5}$", host) else (host, "", "")
    name = name.lower().removesuffix(".")
    return name if _HOST.fullmatch(name) else ""


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """The way to the site. Without trusted proxies no header about other hops is believed; `hosts` go beside the public URL's."""

    trusted: tuple[Network, ...] = setting((), "PROXIES", parse=networks)
    header: Literal["x-forwarded", "forwarded"] = setting("x-forwarded", "PROXY_HEADER")
    hosts: tuple[str, ...] = setting((), "HOSTS", parse=host_names)
