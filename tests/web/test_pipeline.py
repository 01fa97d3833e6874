"""The rim: what odd requests get, in the one place where all of them pass."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.support.sites import Core, Declare

SITE = """
resources:
  note:
    access: public
    fields: {title: {type: string, max: 50}, body: {type: text}, number: integer, price: decimal, any: json}
    query: {filter: [title]}
  mine: {access: authenticated, plural: mines, operations: [list, get], fields: {name: string}}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 50_000, 400), (b'{"any": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400), (b"", 400), (b"nonsense", 400),
        (b'{"title": "a"', 400), (b"\xff\xfe", 400), (b'{"title": "\xff"}', 400), (b'{"title": "\\ud800"}', 400),
        (b'{"title": "a\\u0000b"}', 422), (b"[]", 422), (b"null", 422), (b'"text"', 422), (b"5", 422),
        (b'{"number": ' + b"9" * 5000 + b"}", 422), (b'{"number": 1e400}', 422), (b'{"price": 1e400}', 422),
        (b'{"price": "' + b"9" * 5000 + b'"}', 422), (b'{"price": -1e-400}', 201), (b'{"number": -0}', 201),
        (b'{"any": ' + b"9" * 5000 + b"}", 422), (b'{"any": {"a": NaN}}', 400), (b'{"any": 18446744073709551616}', 201),
        (b'{"title": "a", "title": "b"}', 201), (b'\xef\xbb\xbf{"title": "a"}', 400),
    ],
)  # fmt: skip
def test_odd_body_is_answered(core: Core, body: bytes, status: int) -> None:
    reply = core.anonymous.send("POST", "/api/notes", body)
    assert reply.status in ((status, 400) if status == 422 else (status,)), reply.body[:300]
    if status >= 400:
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.json["trace_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"]
)
def test_other_media_type_is_refused(core: Core, media: str) -> None:
    assert core.anonymous.send("POST", "/api/notes", b"{}", {"Content-Type": media}).status == 415


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
def test_json_media_types_are_read(core: Core, media: str) -> None:
    assert core.anonymous.send("POST", "/api/notes", b"{}", {"Content-Type": media}).status == 201


def test_large_body_is_refused(core: Core) -> None:
    assert core.anonymous.send("POST", "/api/notes", b" " * ((1 << 20) + 1)).status == 413


def test_many_problems_are_told_in_part(core: Core) -> None:
    body = json.dumps({f"key{number}": 1 for number in range(5000)}).encode()
    reply = core.anonymous.send("POST", "/api/notes", body)
    assert (reply.status, len(reply.json["errors"])) == (422, 100)


def _raw(core: Core, **environ: Any) -> tuple[int, dict[str, str], bytes]:
    base = EnvironBuilder("/api/notes", method="GET").get_environ()
    pieces, status, headers = run_wsgi_app(core.door, {**base, **environ})  # type: ignore[arg-type]
    return int(status[:3]), dict(headers), b"".join(pieces)


class _Body:
    """A body whose length the sender did not say, in pieces."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        found, self.data = self.data[:size], self.data[size:]
        return found


def _chunked(core: Core, data: bytes) -> int:
    return _raw(
        core, REQUEST_METHOD="POST", CONTENT_TYPE="application/json", HTTP_TRANSFER_ENCODING="chunked",
        CONTENT_LENGTH="", **{"wsgi.input": _Body(data)},
    )[0]  # fmt: skip


def test_chunked_body_is_read_and_bounded(core: Core) -> None:
    assert _chunked(core, b'{"title": "chunked"}') == 201
    assert _chunked(core, b" " * (1 << 21)) == 413


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 5000, "\u0665"])
def test_odd_content_length_is_harmless(core: Core, length: str) -> None:
    status, _, _ = _raw(
        core,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=length,
        **{"wsgi.input": _Body(b"")},
    )
    assert status in (400, 413)


def test_unknown_path_and_method(core: Core) -> None:
    assert core.anonymous.get("/api/nothing").status == 404
    assert core.anonymous.get("/api/notes/").status == 404
    reply = core.anonymous.send("PUT", "/api/notes")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert core.anonymous.send("BREW", "/api/notes").status == 405


def test_options_tells_the_methods(core: Core) -> None:
    reply = core.anonymous.send("OPTIONS", "/api/notes/x")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


@pytest.mark.parametrize(
    "path",
    [
        "/api/notes/\xff\xfe",
        "/api/notes/\u20ac",
        "/api/notes/a\x00b",
        "/api/notes/..",
        "/api/notes/%2e",
        "//api/notes",
        "",
        "*",
        "/" * 3000,
    ],
)
def test_odd_path_is_not_found(core: Core, path: str) -> None:
    status, headers, body = _raw(core, PATH_INFO=path)
    assert (status, headers["Content-Type"]) == (404, "application/problem+json"), body


def test_non_utf8_query_is_refused(core: Core) -> None:
    assert _raw(core, QUERY_STRING="title=\xff")[0] in (200, 422)
    assert _raw(core, QUERY_STRING="title=%ff")[0] == 422


def test_head_answers_the_headers_of_get(core: Core) -> None:
    row = core.anonymous.make("/api/notes", body="x" * 2000)
    path = f"/api/notes/{row['id']}"
    got, head = core.anonymous.get(path), core.anonymous.send("HEAD", path)
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", got.headers["ETag"])
    assert head.headers["Content-Length"] == str(len(got.body))
    assert core.anonymous.send("HEAD", "/api/notes/x").status == 404


def test_request_id_and_trace_are_kept(core: Core) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = core.anonymous.get("/api/notes", {"X-Request-Id": "abc.1", "traceparent": trace})
    assert reply.headers["X-Request-Id"] == "abc.1"
    version, trace_id, span_id, flags = reply.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
    assert span_id != "b7ad6b7169203331"
    failed = core.anonymous.get("/api/nothing", {"X-Request-Id": "abc.1", "traceparent": trace})
    assert (failed.json["trace_id"], failed.headers["X-Request-Id"]) == (trace_id, "abc.1")


def test_odd_request_id_and_trace_are_replaced(core: Core) -> None:
    odd = core.anonymous.get("/api/nothing", {"X-Request-Id": "a b", "traceparent": "x"})
    assert odd.json["trace_id"] == odd.headers["X-Request-Id"] != "a b"
    assert odd.headers["traceparent"].split("-")[1] == odd.json["trace_id"]
    assert "traceparent" not in core.anonymous.get("/api/notes").headers


@pytest.mark.parametrize(
    ("accepted", "is_small"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_large_answers_are_compressed_when_asked(core: Core, accepted: str, is_small: bool) -> None:
    row = core.anonymous.make("/api/notes", body="x" * 3000)
    reply = core.anonymous.get(f"/api/notes/{row['id']}", {"Accept-Encoding": accepted})
    assert (reply.headers.get("Content-Encoding") == "gzip") is is_small
    assert reply.headers["Vary"] == "Accept-Encoding"
    body = gzip.decompress(reply.body) if is_small else reply.body
    assert json.loads(body)["body"] == "x" * 3000


def test_nobody_is_told_how_to_sign_in(core: Core) -> None:
    reply = core.anonymous.get("/api/mines")
    assert (reply.status, reply.json["code"]) == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert core.anonymous.get("/api/mines?nobody=1").status == 401
    assert core.user().get("/api/mines").status == 200


def test_defect_tells_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("SELECT secret FROM place")

    monkeypatch.setattr("host.service.reading.get_row", broken)
    reply = core.anonymous.get("/api/notes/01890a5d-ac96-774b-bcce-b302099a8057")
    assert (reply.status, reply.json["code"]) == (500, "internal")
    assert b"SELECT" not in reply.body and b"Traceback" not in reply.body
    assert reply.json["trace_id"] in caplog.text


def test_unchanged_row_is_not_sent_again(core: Core) -> None:
    row = core.anonymous.post("/api/notes", {"title": "a"})
    path = f"/api/notes/{row.json['id']}"
    tag = core.anonymous.get(path).headers["ETag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        reply = core.anonymous.get(path, {"If-None-Match": given})
        assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", tag)
    assert core.anonymous.get(path, {"If-None-Match": '"x"'}).status == 200
    assert core.anonymous.get(f"{path}?fields=title", {"If-None-Match": tag}).status == 200


def test_threads_do_not_disturb_each_other(core: Core) -> None:
    rows = [core.anonymous.make("/api/notes", title=f"t{number}") for number in range(4)]
    wrong: list[Any] = []

    def ask(row: dict[str, Any]) -> None:
        for _ in range(20):
            if core.anonymous.get(f"/api/notes?title={row['title']}").json["items"][0]["id"] != row["id"]:
                wrong.append(row)

    threads = [threading.Thread(target=ask, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
