"""Requests against the bare door of a matrix site, and what comes back; leaner than a test client, for thousands of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from host.web.door import Door


@dataclass(frozen=True)
class Reply:
    """A status, the body's bytes and the headers."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Caller:
    """Sends requests as an account, or as nobody."""

    door: Door
    token: str | None = None

    def send(self, method: str, path: str, body: Any = None, media: str = "application/json") -> Reply:
        """One request; a body that is not bytes becomes JSON."""
        plain, _, query = path.partition("?")
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": unquote_to_bytes(plain).decode("latin-1"), "QUERY_STRING": query,
            "wsgi.input": io.BytesIO(data), "wsgi.url_scheme": "http", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost",
        }  # fmt: skip
        if body is not None:
            environ |= {"CONTENT_LENGTH": str(len(data)), "CONTENT_TYPE": media}
        if self.token is not None:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        said: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            said["status"], said["headers"] = int(status[:3]), dict(headers)

        pieces = self.door(environ, start)
        try:
            answer = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        return Reply(said["status"], answer, said["headers"])
