"""The two servers: gunicorn with threads (the default), and granian for a tier that serves the API alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from host.application import create_app
from host.errors import ConfigurationError
from host.settings import LogSettings, read_settings
from host.web.logs import configure, granian_config

if TYPE_CHECKING:
    from flask import Flask

GRACEFUL_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where and with how many processes and threads a server listens."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 16
    reuse_port: bool = False  # a second server may take over while the first one still answers
    head_seconds: int = 15  # for the head of a request

    @property
    def bind(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_free(listening: Listening) -> None:
    """Raise ConfigurationError when something else listens there already."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listening.reuse_port:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((listening.host, listening.port))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise ConfigurationError(
                f"cannot listen on {listening.bind}: {reason}; choose another --port"
            ) from None


def serve_gunicorn(app: Flask, listening: Listening, when_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal comes; requests that have begun are finished. The app is made before the workers fork."""
    from gunicorn.app.base import BaseApplication  # only where something is served

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(listening, when_ready).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Server().run()


def _gunicorn_settings(listening: Listening, when_ready: Callable[[], None]) -> dict[str, Any]:
    from host.cli.gunicorn_worker import TimedWorker  # loads gunicorn

    return {
        "bind": listening.bind,
        "workers": listening.workers,
        "worker_class": TimedWorker.waiting(listening.head_seconds),
        "threads": listening.threads,
        "reuse_port": listening.reuse_port,
        "preload_app": True,  # memory is shared, and a broken declaration stops the boot once
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": 15,
        "timeout": 60,
        "limit_request_line": 8190,
        # Whom to believe is decided in one place, for both servers, out of the host's own settings.
        "secure_scheme_headers": {},
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "accesslog": None,  # the host logs requests itself
        "logger_class": _logger(),
        "when_ready": lambda server: when_ready(),
        "loglevel": "warning",
    }


def _logger() -> type[Any]:
    """Gunicorn's own messages go where all others go."""
    from gunicorn.glogging import Logger

    class RootLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
        def setup(self, cfg: Any) -> None:
            super().setup(cfg)
            self.error_log.handlers.clear()
            self.error_log.propagate = True

    return RootLogger


def serve_granian(root: Path, listening: Listening, logs: LogSettings, only: str = "") -> None:
    """Serve the API with granian, whose workers make the app themselves out of the environment."""
    from granian import Granian  # only where it is chosen
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    os.environ |= {"HOSTWRIGHT_ROOT": str(root), "HOSTWRIGHT_ONLY": only}
    Granian(
        "host.cli.servers:from_environment",
        factory=True,
        address=listening.host,
        port=listening.port,
        interface=Interfaces.WSGI,
        workers=listening.workers,
        blocking_threads=min(listening.threads, 4),
        workers_kill_timeout=GRACEFUL_SECONDS,
        http1_settings=HTTP1Settings(
            header_read_timeout=listening.head_seconds * 1000, max_buffer_size=64 * 1024
        ),
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=granian_config(logs),
    ).serve()


def from_environment() -> Flask:
    """The application of the site that HOSTWRIGHT_ROOT names, for servers that import it."""
    settings = read_settings(Path(os.environ.get("HOSTWRIGHT_ROOT", "."))).sharing()
    configure(settings.logs)
    return create_app(settings)
