"""Where an attempt comes from: the caller's network, and a device that has signed in before.

Networks and devices are stored as keyed digests, so that the table says nobody's address. `throttling` calls it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

DEVICE = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{1,64}\.[0-9a-f]{32}")
DIGEST = 32  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Origin:
    """What a door knows of the caller: its address, and the device text that it sent along."""

    address: str = ""
    device: str = ""


def network(address: str) -> str:
    """The part of an address that one subscriber has: an IPv4 address, or the first half of an IPv6 one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{parsed.exploded[:19]}::/64"
    return str(parsed)


class Marks:
    """Makes digests and device texts that only this app can make."""

    def __init__(self, secret: str) -> None:
        self._key = sha256(b"hostwright origins " + secret.encode()).digest()

    def digest(self, *parts: str) -> str:
        """A digest of some texts."""
        return hmac.new(self._key, "\0".join(parts).encode(errors="replace"), sha256).hexdigest()[:DIGEST]

    def place(self, origin: Origin) -> str:
        """The digest of the caller's network."""
        return self.digest("network", network(origin.address))

    def new_device(self, account: str) -> str:
        """A text for a device on which an account has just signed in."""
        made = f"{secrets.token_urlsafe(16)}.{account}"
        return f"{made}.{self.digest('device', made)}"

    def device(self, origin: Origin, account: str) -> str | None:
        """The digest of the device, if it is one on which this account has signed in."""
        if DEVICE.fullmatch(origin.device) is None:
            return None
        made, _, signature = origin.device.rpartition(".")
        if (
            not hmac.compare_digest(signature, self.digest("device", made))
            or made.partition(".")[2] != account
        ):
            return None
        return self.digest("known device", made)
