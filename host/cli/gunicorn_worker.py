"""gunicorn's worker with threads, and a time for the head of a request: a client that trickles headers would hold a thread.

`serve` names it as the worker class; another configuration of gunicorn takes it by
`--worker-class host.cli.gunicorn_worker.TimedWorker`.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from host.web.deadlines import Watch


class TimedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Cuts off connections whose request does not begin in time, and those that take nothing of their answer."""

    head_seconds = 15
    stalled_milliseconds = 60_000

    @classmethod
    def waiting(cls, seconds: int) -> type[TimedWorker]:
        """The class that waits so long for the head of a request."""
        return type("TimedWorker", (cls,), {"head_seconds": seconds})

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._watch = Watch()
        self._waiting: dict[int, object] = {}

    def handle(self, conn: Any) -> Any:
        """Read a request and answer it, in a thread of the pool."""
        if hasattr(socket, "TCP_USER_TIMEOUT") and conn.sock.family != socket.AF_UNIX:
            conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.stalled_milliseconds)
        self._waiting[id(conn)] = self._watch.begin(conn.sock, self.head_seconds)
        try:
            return super().handle(conn)
        finally:
            self._arrived(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has been read."""
        self._arrived(conn)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:  # of the socket: the client took nothing for too long, which is no defect
            self.log.info("a client stopped taking its answer")
            return False

    def _arrived(self, conn: Any) -> None:
        token = self._waiting.pop(id(conn), None)
        if token is not None:
            self._watch.end(token)
