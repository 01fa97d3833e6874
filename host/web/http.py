"""One small request and answer record, free of Flask: what the pipeline and every operation work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from host.actor import ANONYMOUS, Actor
from host.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType

if TYPE_CHECKING:
    from host.limiting import Standing
    from host.web.operations import Operation

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
JSON_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS
JSON_TYPES = (JSON, "application/merge-patch+json")


@dataclass(slots=True)
class Request:
    """A request at the rim. `read` answers at most so many bytes of the body; headers are asked for in lower case."""

    method: str
    path: str
    query: str
    header: Callable[[str], str | None]
    read: Callable[[int], bytes]
    length: int | None = None  # of the body; None when the sender did not say
    remote: str = ""
    scheme: str = "http"
    host: str = ""
    id: str = ""
    actor: Actor = ANONYMOUS
    operation: Operation | None = None  # what is asked for, once it has been routed
    params: Mapping[str, str] = field(default_factory=dict)
    body_limit: int = 1 << 20
    form: Any = None  # what a multipart body held, once it has been received: `json` answers it
    standings: tuple[Standing, ...] = ()  # of the rates that it was counted for
    environ: Mapping[str, Any] = field(
        default_factory=dict
    )  # the door's own, for what falls through to Flask

    def body(self) -> bytes:
        """The whole body, if it is not over the limit."""
        if self.length == 0:
            return b""
        if self.length is not None and self.length > self.body_limit:
            raise PayloadTooLarge(f"the body may have at most {self.body_limit} bytes")
        data = self.read(self.body_limit + 1 if self.length is None else self.length)
        if len(data) > self.body_limit:
            raise PayloadTooLarge(f"the body may have at most {self.body_limit} bytes")
        return data

    @property
    def media(self) -> str:
        """The media type of the body, in lower case and without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def cookie(self, name: str) -> str:
        """The value of a cookie; empty when there is none."""
        header = self.header("cookie")
        for part in header.split(";") if header and name in header else ():
            key, _, value = part.partition("=")
            if key.strip() == name:
                return value.strip()
        return ""

    def json(self, *, is_optional: bool = False) -> Any:
        """The JSON document in the body; an empty optional one is an empty object."""
        if self.form is not None:
            return self.form
        data = self.body()
        if not data and is_optional:
            return {}
        media = self.media
        if media not in JSON_TYPES and not (media.startswith("application/") and media.endswith("+json")):
            raise UnsupportedMediaType(f"send the body as {JSON}")
        return parse_json(data)


def parse_json(data: bytes) -> Any:
    """A JSON document; BadRequest for anything else, however deep or odd."""
    try:
        return orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {str(error).partition(': line')[0]}") from None


@dataclass(slots=True)
class Answer:
    """What goes back: a body as a whole, or an iterable of pieces for streams."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str | None = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)


def json_answer(value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(
        status, orjson.dumps(value, option=JSON_OPTIONS), JSON, headers if headers is not None else []
    )


def path_of(environ: Mapping[str, Any]) -> str:
    """The decoded path of a WSGI environment, as text."""
    raw: str = environ.get("PATH_INFO") or "/"
    return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")
