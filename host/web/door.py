"""The WSGI door in front of Flask: environment to request, answer to start_response. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from host.web.http import Answer, Request, path_of
from host.web.pipeline import Pipeline

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Door:
    """WSGI middleware: `app.wsgi_app = Door(pipeline)`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._handle = pipeline.handle

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = self._handle(request_of(environ))
        headers = answer.headers
        body = answer.body
        if isinstance(body, bytes):
            has_length = (
                any(name == "Content-Length" for name, _ in headers) or environ["REQUEST_METHOD"] == "HEAD"
            )
            if not has_length and answer.status not in (204, 304):
                headers.append(("Content-Length", str(len(body))))
            start_response(_STATUS.get(answer.status) or f"{answer.status} Unknown", headers)
            return [body] if body else []
        start_response(_STATUS.get(answer.status) or f"{answer.status} Unknown", headers)
        return body


def request_of(environ: Mapping[str, Any]) -> Request:
    """The request of a WSGI environment."""
    get = environ.get
    length = get("CONTENT_LENGTH")
    chunked = get("HTTP_TRANSFER_ENCODING", "") != "" or get("wsgi.input_terminated")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path_of(environ),
        query=get("QUERY_STRING") or "",
        header=header_reader(environ),
        read=environ["wsgi.input"].read,
        length=int(length)
        if length and length.isdecimal() and len(length) < 19
        else (None if chunked else 0),
        remote=get("REMOTE_ADDR") or "",
        scheme=get("wsgi.url_scheme") or "http",
        host=get("HTTP_HOST") or "",
        environ=environ,
    )


_KEYS = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    # Asked for in every request.
    "authorization": "HTTP_AUTHORIZATION",
    "accept-encoding": "HTTP_ACCEPT_ENCODING",
    "if-none-match": "HTTP_IF_NONE_MATCH",
    "traceparent": "HTTP_TRACEPARENT",
    "x-request-id": "HTTP_X_REQUEST_ID",
    "idempotency-key": "HTTP_IDEMPOTENCY_KEY",
}


def header_reader(environ: Mapping[str, Any]) -> Callable[[str], str | None]:
    """A function from a lower-case header name to its value."""

    def header(name: str) -> str | None:
        return environ.get(_KEYS.get(name) or f"HTTP_{name.upper().replace('-', '_')}")

    return header


def run_wsgi(app: WsgiApp, request: Request) -> Answer:
    """Let another WSGI application answer a request."""
    said: dict[str, Any] = {}

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        said["status"], said["headers"] = int(status.split(" ", 1)[0]), headers
        return lambda data: None

    pieces = app(dict(request.environ), start_response)
    try:
        body = b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    headers = [
        (name, value)
        for name, value in said["headers"]
        if name.lower() not in ("content-type", "content-length")
    ]
    types = [value for name, value in said["headers"] if name.lower() == "content-type"]
    return Answer(said["status"], body, types[0] if types else None, headers)
