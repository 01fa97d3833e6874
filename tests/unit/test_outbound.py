"""Fetching from addresses that others chose, against real servers on this machine."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from host import tracing
from host.errors import UpstreamError
from host.outbound import Outbound, is_public, resolve

OPEN = Outbound(allows_private=True, seconds=5.0, largest=10_000)
Handle = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(handle: Handle) -> Iterator[str]:
    """A server that answers as told; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handle(self)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def say(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def test_answer_is_fetched() -> None:
    with serving(lambda request: say(request, request.headers["X-Word"].encode(), 201)) as address:
        found = OPEN.fetch("GET", f"{address}/a?b=c", headers={"X-Word": "hello"})
    assert (found.status, found.body, found.headers["content-length"]) == (201, b"hello", "5")


def test_call_goes_on_with_the_trace() -> None:
    seen: list[str | None] = []

    def keep(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["traceparent"])
        say(request, b"")

    with serving(keep) as url:
        fetcher = Outbound(allows_private=True)
        fetcher.fetch("GET", url)
        with tracing.resumed(f"00-{'a' * 32}-{'b' * 16}-01", "job") as trace:
            fetcher.fetch("GET", url)
    version, trace_id, span_id, flags = (seen[1] or "").split("-")
    assert (seen[0], version, trace_id, flags) == (None, "00", "a" * 32, "01")
    assert span_id not in ("b" * 16, trace.span_id)


def test_body_is_sent() -> None:
    def echo(request: BaseHTTPRequestHandler) -> None:
        say(request, request.rfile.read(int(request.headers["Content-Length"])))

    with serving(echo) as address:
        assert OPEN.fetch("POST", address, body=b"some words").body == b"some words"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "10.1.2.3", "169.254.169.254",
     "192.168.1.1", "100.64.0.1", "[fe80::1]", "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
def test_private_address_is_never_asked(host: str) -> None:
    asked: list[str] = []
    with serving(lambda request: asked.append(request.path) or say(request, b"")) as address:
        port = address.rpartition(":")[2]
        with pytest.raises(UpstreamError, match=r"private network|is not known|cannot be reached"):
            Outbound(seconds=3.0).fetch("GET", f"https://{host}:{port}/")
    assert asked == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("::ffff:10.0.0.1", False), ("::1", False),
     ("64:ff9b::a00:1", False), ("2002:a00:1::", False), ("::7f00:1", False), ("224.0.0.1", False), ("nonsense", False),
     ("fe80::1%eth0", False)],
)  # fmt: skip
def test_addresses_are_normalised(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_one_private_address_of_several_is_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 443)) for text in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    with pytest.raises(UpstreamError, match="private network"):
        resolve("rebinding.example", 443, allows_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "https://a:b@example.org/",
        "nonsense",
        "https://",
    ],
)
def test_only_plain_https_is_asked(url: str) -> None:
    with pytest.raises(UpstreamError, match=r"only https|cannot be read"):
        Outbound().fetch("GET", url)


def test_redirect_is_not_followed_unasked() -> None:
    with serving(lambda request: say(request, b"", 302, Location="https://example.org/")) as address:
        assert OPEN.fetch("GET", address).status == 302


def test_redirect_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    following = Outbound(allows_private=True, most_redirects=3, seconds=5.0)
    real = resolve
    checked: list[str] = []

    def noting(host: str, port: int, *, allows_private: bool) -> list[str]:
        checked.append(host)
        return real(host, port, allows_private=allows_private and host == "127.0.0.1")

    monkeypatch.setattr("host.outbound.resolve", noting)
    refused = pytest.raises(UpstreamError, match=r"10\.0\.0\.1 is in a private network")
    with serving(lambda request: say(request, b"", 302, Location="http://10.0.0.1/")) as address, refused:
        following.fetch("GET", address)
    assert checked == ["127.0.0.1", "10.0.0.1"]


def test_credentials_stay_with_their_origin() -> None:
    seen: list[str | None] = []

    def last(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["Authorization"])
        say(request, b"done")

    with serving(last) as other, serving(lambda request: say(request, b"", 307, Location=other)) as address:
        following = Outbound(allows_private=True, most_redirects=1, seconds=5.0)
        assert following.fetch("GET", address, headers={"Authorization": "Bearer secret"}).body == b"done"
    assert seen == [None]


def test_endless_redirects_end() -> None:
    refused = pytest.raises(UpstreamError, match="too often")
    with serving(lambda request: say(request, b"", 302, Location="/again")) as address, refused:
        Outbound(allows_private=True, most_redirects=3).fetch("GET", address)


def test_long_answer_is_cut_off() -> None:
    with (
        serving(lambda request: say(request, b"x" * 20_000)) as address,
        pytest.raises(UpstreamError, match="more than"),
    ):
        OPEN.fetch("GET", address)


def test_dripping_server_meets_the_deadline() -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(0.1)
        except OSError:
            request.close_connection = True

    with serving(drip) as address:
        started = time.monotonic()
        with pytest.raises(UpstreamError):
            Outbound(allows_private=True, seconds=0.7).fetch("GET", address)
        assert time.monotonic() - started < 5


def test_server_that_is_away_is_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(UpstreamError, match="cannot be reached"):
        OPEN.fetch("GET", f"http://127.0.0.1:{port}/")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(lambda request: say(request, b"direct")) as address:
        assert OPEN.fetch("GET", address).body == b"direct"
