"""The load generator: a process of its own that sends bounded batches over keep-alive connections.

Reads one JSON order per line from standard input and answers one JSON line per order. Written on bare
sockets, so that on two cores it takes little from the server it loads.
"""

import itertools
import json
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Connection:
    """One keep-alive connection."""

    port: int
    stream: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.stream = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return the status and the body of the answer."""
        self.stream.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        length = content_length(head)
        while len(body) < length:
            body += self._receive()
        return int(head[9:12]), body

    def _receive(self) -> bytes:
        data = self.stream.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed a keep-alive connection")
        return data


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError(f"no Content-Length in {head!r}")


def encode(order: dict[str, Any]) -> list[bytes]:
    """Return the requests of an order as bytes."""
    return [encode_request(order["headers"], *request) for request in order["requests"]]


def encode_request(headers: dict[str, str], method: str, path: str, body: Any) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Send `count` requests over `connections` connections, each of which takes the next when free."""
    queue = iter(list(itertools.islice(itertools.cycle(encode(order)), order["count"])))
    with ThreadPoolExecutor(order["connections"]) as pool:
        jobs = [pool.submit(work, order["port"], queue) for _ in range(order["connections"])]
    answers = [answer for job in jobs for answer in job.result()]
    refused = [answer for answer in answers if answer[0] != order["expect"]]
    if refused:
        raise SystemExit(f"expected {order['expect']}, got {refused[0]}")
    return {"requests": len(answers), "last": answers[-1][1].decode()}


def work(port: int, queue: Iterator[bytes]) -> list[tuple[int, bytes]]:
    connection = Connection(port)
    answers = [connection.ask(request) for request in queue]
    connection.stream.close()
    return answers


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
