"""A local HTTP server that speaks OpenAI's chat completions, also badly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Endpoint:
    """The server; a test sets `answers`, and reads `asked`: the last request's headers and body."""

    url: str = ""
    answers: Callable[[BaseHTTPRequestHandler], None] = lambda handler: None
    asked: dict[str, Any] = field(default_factory=dict)

    def says(self, content: Any, *, tokens: int = 42) -> None:
        """Answer as the protocol has it, with this content as the model's message."""
        text = content if isinstance(content, str) else json.dumps(content)
        message = {
            "choices": [{"message": {"role": "assistant", "content": text}}],
            "usage": {"total_tokens": tokens},
        }
        self.sends(json.dumps(message).encode())

    def sends(self, body: bytes, status: int = 200) -> None:
        """Answer with these bytes."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answers = answer

    def trickles(self, *, first: float, pieces: int, pause: float) -> None:
        """Wait, then answer a byte at a time."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            time.sleep(first)
            handler.send_response(200)
            handler.end_headers()
            for _ in range(pieces):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(pause)

        self.answers = answer

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Endpoint]:
        """The server on a free port, for a while."""
        endpoint = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked = {"path": self.path, "headers": dict(self.headers), "body": json.loads(body)}
                with suppress(ConnectionError):  # the plugin hangs up on what takes too long
                    endpoint.answers(self)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
