"""Clients that trickle, stall or send too much, against real servers: they are cut off and hold nobody up."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import Served, served, serving

SITE = """grammar: 1
site: {name: Test}
resources:
  note: {fields: {text: {type: string, required: true}}, access: public}
"""
THREADS = 16


@pytest.fixture(scope="module", params=["gunicorn", "granian"])
def server(request: pytest.FixtureRequest) -> str:
    """The server under test."""
    return str(request.param)


@pytest.fixture(scope="module")
def site(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    quick = {"HOSTWRIGHT_BODY_SECONDS": "1", "HOSTWRIGHT_HEAD_SECONDS": "2"}
    with serving(tmp_path_factory.mktemp("slow"), SITE, quick, "--workers", "1", "--server", server) as found:
        yield found


def connection(site: Served, data: bytes) -> socket.socket:
    """An open connection on which this has been sent."""
    made = socket.create_connection(("127.0.0.1", site.port), timeout=20)
    made.sendall(data)
    return made


def post(length: int, body: bytes = b"") -> bytes:
    head = f"POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
def cuts_bodies(server: str) -> None:
    if server == "granian":
        pytest.skip("granian waits for bodies, and shows no socket: the proxy in front has to buffer them")


def answer_of(connection: socket.socket) -> bytes:
    """Everything until the connection is closed."""
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


def seconds_until_served(site: Served) -> float:
    begun = time.monotonic()
    assert site.ask("GET", "/api/notes")[0] == 200
    return time.monotonic() - begun


@pytest.mark.usefixtures("cuts_bodies")
def test_stalled_body_is_told_and_cut(site: Served) -> None:
    with connection(site, post(1000, b'{"text": ')) as stalled:
        begun = time.monotonic()
        answer = answer_of(stalled)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer
    assert 0.5 < time.monotonic() - begun < 5


@pytest.mark.usefixtures("cuts_bodies")
def test_trickled_body_is_cut_too(site: Served) -> None:
    with connection(site, post(1000)) as slow:
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"reset|pipe"):
            while time.monotonic() - begun < 15:
                slow.sendall(b" ")
                time.sleep(0.1)
        assert time.monotonic() - begun < 10


@pytest.mark.usefixtures("cuts_bodies")
def test_slow_bodies_hold_up_nobody_for_long(site: Served) -> None:
    stalled = [connection(site, post(1000, b"{")) for _ in range(THREADS * 2)]
    assert seconds_until_served(site) < 8
    for one in stalled:
        one.close()


def test_slow_heads_hold_up_nobody_for_long(site: Served) -> None:
    stalled = [connection(site, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(THREADS * 2)]
    assert seconds_until_served(site) < 12
    for one in stalled:
        assert not answer_of(one).startswith(b"HTTP/1.1 200")
        one.close()


def test_body_in_pieces_is_whole(site: Served) -> None:
    with connection(site, post(17, b'{"text": ')) as calm:
        time.sleep(0.6)
        calm.sendall(b'"hello"}')
        assert calm.recv(65536).startswith(b"HTTP/1.1 201 ")


def test_idle_connection_is_no_slow_one(site: Served, server: str) -> None:
    if server == "granian":
        pytest.skip("with granian the time of a head is also that of an idle connection")
    with connection(site, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as kept:
        assert kept.recv(65536).endswith(b"OK")
        time.sleep(3)
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65536).endswith(b"OK")


@pytest.mark.parametrize("target", [b"/api/notes?q=" + b"a" * 9000, b"/" + b"a" * 9000])
def test_long_url_is_refused(site: Served, target: bytes) -> None:
    with connection(site, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n") as long:
        assert b" 414 " in long.recv(65536).split(b"\r\n")[0]


IMPATIENT = """
import sys, time
from gunicorn.app.base import BaseApplication
from host.cli.gunicorn_worker import TimedWorker

class Impatient(TimedWorker):
    stalled_milliseconds = 1000

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", str(10**9))])
    begun = time.monotonic()
    try:
        for _ in range(1000):
            yield bytes(10**6)
    finally:
        print(f"ended after {time.monotonic() - begun:.0f} seconds", flush=True)

class Server(BaseApplication):
    def load_config(self):
        given = {"bind": f"127.0.0.1:{sys.argv[-1]}", "worker_class": Impatient, "control_socket_disable": True}
        for name, value in given.items():
            self.cfg.set(name, value)

    def load(self):
        return application

Server().run()
"""


def test_answer_that_nobody_takes_is_ended(tmp_path: Path) -> None:
    with served(tmp_path, programs=(sys.executable, "-c", IMPATIENT)) as found:
        with connection(found, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            found.wait_for("ended after")
        assert "Traceback" not in found.said()
        assert int(found.said().rpartition("after ")[2].split()[0]) < 10
