"""Deadlines at the rim: of bodies that do not come, of whole requests, and what is too long to begin with."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from host.database import deadline
from host.errors import RequestTimeout
from host.web.deadlines import GUNICORN_SOCKET, MOST_URL, TimedBody, Watch, timed_bodies
from host.web.http import Answer, Request, json_answer
from tests.web.rim import Rim, header, operation, settings_of


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's and a server's end of a connection."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def reader(server: socket.socket, seconds: float) -> TimedBody:
    file = server.makefile("rb")
    return TimedBody(Watch(0.05), server, file.read, seconds)


def test_body_in_time_is_read(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    client.sendall(b"hello")
    assert reader(server, 5).read(5) == b"hello"


def test_stalled_body_ends_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    client.sendall(b"hel")
    begun = time.monotonic()
    with pytest.raises(RequestTimeout):
        reader(server, 0.1).read(5)
    assert 0.1 <= time.monotonic() - begun < 2


def test_socket_goes_on_after_its_end(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    watch = Watch(0.02)
    assert watch.end(watch.begin(server, 0.05))
    time.sleep(0.2)
    client.sendall(b"x")
    assert server.recv(1) == b"x"


def test_watch_rests_and_begins_again(pair: tuple[socket.socket, socket.socket]) -> None:
    _, server = pair
    watch = Watch(0.02)
    watch.end(watch.begin(server, 5))
    time.sleep(0.1)
    watch.begin(server, 0.01)
    assert server.recv(1) == b""


def test_only_bodies_of_known_sockets_are_timed(pair: tuple[socket.socket, socket.socket]) -> None:
    arrive = timed_bodies(1, Watch())

    def read(size: int) -> bytes:
        return b""

    plain = Request("POST", "/", "", lambda name: None, read, 5)
    arrive(plain)
    assert plain.read is read
    empty = Request("GET", "/", "", lambda name: None, read, 0, environ={GUNICORN_SOCKET: pair[1]})
    arrive(empty)
    assert empty.read is read
    chunked = Request("POST", "/", "", lambda name: None, read, None, environ={GUNICORN_SOCKET: pair[1]})
    arrive(chunked)
    assert chunked.read is not read


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 414)])
def test_long_urls_are_refused(extra: int, status: int) -> None:
    rim = Rim(settings_of(), operation())
    assert rim.ask(query="a" * (MOST_URL - len("/here") + extra)).status == status


def test_whole_request_has_its_time() -> None:
    def handler(request: Request) -> Answer:
        time.sleep(1.1)
        deadline.check()
        return json_answer({})

    late = Rim(settings_of(REQUEST_SECONDS="1"), operation(handler=handler)).ask()
    assert (late.status, header(late, "Retry-After")) == (503, "1")
    deadline.check()  # the thread has time again
    assert Rim(settings_of(REQUEST_SECONDS="3"), operation(handler=handler)).ask().status == 200
