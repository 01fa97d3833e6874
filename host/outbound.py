"""Fetching from addresses that somebody else chose: sign-in providers now, whatever calls out later.

A URL is read once. Its host is resolved, every address it has is checked after normalising, and the connection goes to the
checked address; TLS still speaks to the name. Redirects are followed only when asked for, and each is checked like the
first. Time and size are bounded as a whole, not for each step. Proxies of the environment are not used.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from host.errors import UpstreamError
from host.tracing import calling

if TYPE_CHECKING:
    import httpcore
    import httpx

NAT64: Final = ip_network("64:ff9b::/96")
COMPATIBLE: Final = ip_network("::/96")  # IPv4 in old clothes
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie"})  # not for another origin
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outbound:
    """Fetches within these bounds. `allows_private` is for development and for one's own network; it allows plain HTTP, too."""

    allows_private: bool = False
    seconds: float = 10.0
    largest: int = 1 << 20
    most_redirects: int = 0
    is_cut: bool = False  # whether a larger answer is cut, instead of refused

    def fetch(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Fetched:  # fmt: skip
        """The answer, whatever its status. Raises UpstreamError when there is none, or none that may be had."""
        deadline = time.monotonic() + self.seconds
        said = dict(headers or {})
        for _ in range(self.most_redirects + 1):
            found = self._once(method, url, said, body, deadline)
            if found.status not in REDIRECTS or not self.most_redirects or "location" not in found.headers:
                return found
            method, url, said, body = _redirected(method, url, said, body, found)
        raise UpstreamError("the server redirects too often")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> Fetched:
        import httpcore  # only what calls out needs it

        target = self._parsed(url)
        asked = httpcore.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        )
        sent = [("Host", target.netloc.decode("ascii")), ("User-Agent", "hostwright"), *headers.items()]
        sent += [("Content-Length", str(len(body)))] if body else []
        limit = {name: self.seconds for name in ("connect", "read", "write", "pool")}
        try:
            with (
                calling(method, target.host) as traced,
                httpcore.ConnectionPool(network_backend=_backend(self.allows_private, deadline)) as pool,
                pool.stream(
                    method,
                    asked,
                    headers=[*sent, *traced.items()],
                    content=body,
                    extensions={"timeout": limit},
                ) as answer,
            ):
                names = {
                    name.decode("latin-1").lower(): text.decode("latin-1") for name, text in answer.headers
                }
                return Fetched(answer.status, names, self._read(answer.iter_stream(), deadline))
        except UpstreamError:
            raise
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise UpstreamError(f"{target.host} cannot be reached: {type(error).__name__}") from error

    def _parsed(self, url: str) -> httpx.URL:
        import httpx

        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise UpstreamError("the address cannot be read") from error
        schemes = ("https", "http") if self.allows_private else ("https",)
        if target.scheme not in schemes or not target.host or target.userinfo:
            raise UpstreamError(f"only {' and '.join(schemes)} addresses without a password are asked")
        return target

    def _read(self, pieces: Iterable[bytes], deadline: float) -> bytes:
        data = bytearray()
        for piece in pieces:
            data += piece
            if len(data) > self.largest and self.is_cut:
                return bytes(data[: self.largest])
            if len(data) > self.largest:
                raise UpstreamError(f"the answer has more than {self.largest} bytes")
            if time.monotonic() > deadline:
                raise UpstreamError("the answer takes too long")
        return bytes(data)


def _redirected(
    method: str, url: str, headers: Mapping[str, str], body: bytes, found: Fetched
) -> tuple[str, str, dict[str, str], bytes]:
    """What is asked next; credentials stay with the origin that they were meant for."""
    import httpx

    try:
        old = httpx.URL(url)
        new = old.join(found.headers["location"])
    except httpx.InvalidURL as error:
        raise UpstreamError("the address of the redirect cannot be read") from error
    kept = dict(headers)
    if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
        kept = {name: text for name, text in headers.items() if name.lower() not in PRIVATE_HEADERS}
    if found.status in (307, 308) or method in ("GET", "HEAD"):
        return method, str(new), kept, body
    return "GET", str(new), {name: text for name, text in kept.items() if name.lower() != "content-type"}, b""


# --- addresses ----------------------------------------------------------------------------------------------------


def resolve(host: str, port: int, *, allows_private: bool) -> list[str]:
    """The addresses of a host. Raises UpstreamError when it has none, or one that may not be asked."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamError(f"{host} is not known") from error
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    if not allows_private and not all(is_public(address) for address in addresses):
        raise UpstreamError(f"{host} is in a private network")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address, in whichever form, is one of the public internet."""
    try:
        address: Address | None = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    while address is not None:
        if not address.is_global or address.is_multicast:
            return False
        address = _inner(address)
    return True


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64 or address in COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


# --- connections --------------------------------------------------------------------------------------------------


@dataclass
class _Stream:
    """A connection whose every step ends at the deadline."""

    inner: Any
    deadline: float

    def read(self, most: int, timeout: float | None = None) -> bytes:
        data: bytes = self.inner.read(most, _left(self.deadline))
        return data

    def write(self, data: bytes, timeout: float | None = None) -> None:
        self.inner.write(data, _left(self.deadline))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        return _Stream(
            self.inner.start_tls(ssl_context, server_hostname, _left(self.deadline)), self.deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


@dataclass
class _Backend:
    """Connects to checked addresses."""

    plain: Any
    allows_private: bool
    deadline: float

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        error: Exception | None = None
        for address in resolve(host, port, allows_private=self.allows_private):
            try:
                return _Stream(
                    self.plain.connect_tcp(address, port, _left(self.deadline), **options), self.deadline
                )
            except Exception as failed:  # the next address may answer
                error = failed
        raise error or UpstreamError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, _left(self.deadline)))


def _backend(allows_private: bool, deadline: float) -> httpcore.NetworkBackend:
    import httpcore

    made: Any = _Backend(httpcore.SyncBackend(), allows_private, deadline)
    return made  # type: ignore[no-any-return]  # it quacks like the base class, which loads the library


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise UpstreamError("the server takes too long")
    return left
