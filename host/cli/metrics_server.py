"""`/metrics` of a machine that serves nothing else: workers and schedulers answer it where HOSTWRIGHT_METRICS_LISTEN says."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from host.application import App
from host.web.door import Door
from host.web.metrics import PATH
from host.web.pipeline import Pipeline
from host.web.router import Router

LOOK_SECONDS: Final = 0.5
log = logging.getLogger("hostwright")


class Handler(WSGIRequestHandler):
    """Waits for nobody, and leaves the log alone."""

    timeout = 5

    def log_message(self, *_: Any) -> None:
        """The pipeline logs requests."""


class Server(WSGIServer):
    """One request after the other; a scraper that hangs up is nobody's fault."""

    timeout = LOOK_SECONDS
    request_queue_size = 16

    def server_bind(self) -> None:
        """Without looking up the name of the machine, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, *_: Any) -> None:
        """Said for whoever looks for it."""
        log.debug("a scraper has gone", exc_info=True)


@dataclass(frozen=True)
class MetricsServer:
    """A loop beside the workers of a supervisor, with the pipeline of the app and this one operation."""

    app: App
    address: tuple[str, int]
    retry_seconds: float = 2.0

    @classmethod
    def loops(cls, app: App) -> tuple[Callable[[Event], None], ...]:
        """The loop, where the settings ask for it."""
        address = app.settings.metrics.listen
        return (cls(app, address).run,) if address is not None else ()

    def run(self, stop: Event) -> None:
        """Answer until it is stopped. Where another process of the machine does already, wait until that ends."""
        is_said = False
        while not stop.is_set():
            try:
                self._serve(stop)
            except OSError as error:
                if not is_said:
                    log.warning("metrics cannot be told on %s:%d yet: %s", *self.address, error.strerror)
                is_said = True
                stop.wait(self.retry_seconds)

    def _serve(self, stop: Event) -> None:
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        with type("Server", (Server,), {"address_family": family})(self.address, Handler) as server:
            server.set_app(Door(self._pipeline()))
            while not stop.is_set():
                server.handle_request()

    def _pipeline(self) -> Pipeline:
        served = tuple(operation for operation in self.app.operations if operation.path == PATH)
        return Pipeline(Router(served), (), lambda request: None, steps=self.app.steps)
