"""Export and import over HTTP."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from host.transfer.exporting import Export
from host.web.transfer import MOST_EXPORTS
from tests.support.sites import Caller, Core, Declare

SHOP = """
resources:
  customer:
    mixins: [owned]
    fields: {name: {type: string, required: true}, email: {type: email, unique: true}}
    query: {filter: [name], sort: [name]}
    access: owner
  paper:
    fields: {title: string}
    access: {every: authenticated, list: public}
    operations: [list, export]
"""
CUSTOMERS = "/api/customers"
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture(scope="module")
def shop(declare: Declare) -> Core:
    return declare(SHOP)


@pytest.fixture
def ann(shop: Core) -> Caller:
    """An account of its own for each test."""
    return shop.user()


def names(caller: Caller) -> list[str]:
    """What the caller's customers are called."""
    return [row["name"] for row in caller.get(f"{CUSTOMERS}?sort=name").json["items"]]


def take(caller: Caller, body: bytes, query: str = "", headers: Any = None) -> Any:
    """Import a file."""
    return caller.send("POST", f"{CUSTOMERS}/import{query}", body, headers or CSV)


def test_exported_file_is_imported(ann: Caller, shop: Core) -> None:
    take(ann, "name\n=a\nb,\n'\n".replace("b,", "b").encode())
    file = ann.get(f"{CUSTOMERS}/export?sort=-name")
    assert (file.status, file.headers["Content-Type"]) == (200, "text/csv; charset=utf-8; header=present")
    assert file.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
    bob = shop.user()
    report = take(bob, file.body).json
    assert (report["created"], report["ignored"]) == (3, ["id", "owner"])
    assert names(bob) == names(ann)


def test_export_obeys_rule_and_query(ann: Caller, shop: Core) -> None:
    take(ann, b"name\na\nb\n")
    asked = ann.get(f"{CUSTOMERS}/export?format=ndjson&name=b&fields=name")
    assert (asked.body, asked.headers["Content-Type"]) == (b'{"name":"b"}\n', "application/x-ndjson")
    assert shop.user().get(f"{CUSTOMERS}/export?fields=name").body == b"name\r\n"


@pytest.mark.parametrize("query", ["page=1", "nam=x", "format=xml", "fields=nope"])
def test_wrong_query_answers_before_streaming(ann: Caller, query: str) -> None:
    reply = ann.get(f"{CUSTOMERS}/export?{query}")
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")


def test_nobody_exports_what_is_closed(shop: Core) -> None:
    assert shop.anonymous.get(f"{CUSTOMERS}/export").status == 401
    assert shop.anonymous.get("/api/papers/export").status == 200


def test_import_needs_create(ann: Caller) -> None:
    assert ann.send("POST", "/api/papers/import", b"", CSV).status == 404


def started(shop: Core, caller: Caller, method: str = "GET") -> Any:
    """The WSGI body of an export, as a server gets it."""
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": f"{CUSTOMERS}/export", "QUERY_STRING": "",
        "HTTP_AUTHORIZATION": f"Bearer {caller.token}", "wsgi.input": io.BytesIO(),
    }  # fmt: skip
    said: list[str] = []
    body = shop.door(environ, lambda status, headers: said.append(status))
    return said[0], body


def test_disconnect_gives_everything_back(ann: Caller, shop: Core) -> None:
    for _ in range(3 * MOST_EXPORTS):
        status, body = started(shop, ann)
        assert (status, isinstance(body, Export)) == ("200 OK", True)
        next(body)
        body.close()


def test_head_opens_nothing_for_long(ann: Caller, shop: Core) -> None:
    for _ in range(3 * MOST_EXPORTS):
        assert started(shop, ann, "HEAD") == ("200 OK", [])


def test_exports_at_once_are_bounded(ann: Caller, shop: Core) -> None:
    bodies = [started(shop, ann)[1] for _ in range(MOST_EXPORTS)]
    assert started(shop, ann)[0].startswith("503")
    for body in bodies:
        body.close()
    assert started(shop, ann, "HEAD")[0] == "200 OK"


def test_errors_are_reported_by_line(ann: Caller) -> None:
    reply = take(ann, b"name,email\na,\nb,no\n,\n")
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    found = [(error["line"], error["pointer"]) for error in reply.json["errors"]]
    assert found == [(3, "/email"), (4, "/name")]
    assert (reply.json["rows"], reply.json["created"], names(ann)) == (3, 0, [])


def test_dry_run_answers_the_report(ann: Caller) -> None:
    reply = take(ann, b"name\na\n\n", "?dry_run=true")
    assert (reply.status, reply.json["created"], reply.json["dry_run"], names(ann)) == (200, 1, True, [])
    reply = take(ann, b"name\na\nb,c\n", "?dry_run=true")
    assert (reply.status, reply.json["errors"][0]["line"]) == (200, 3)


def test_duplicates_are_updated(ann: Caller) -> None:
    address = f"{ann.actor.id}@x.org"  # type: ignore[union-attr]
    take(ann, f"name,email\nold,{address}\n".encode())
    reply = take(ann, f"name,email\nnew,{address}\n".encode(), "?on_duplicate=update")
    assert (reply.json["updated"], names(ann)) == (1, ["new"])


@pytest.mark.parametrize(
    ("body", "media", "query"),
    [
        (b'{"name":"a"}\n', "application/x-ndjson", ""), (b'{"name":"a"}\n', "text/plain", "?format=ndjson"),
        (b'[{"name":"a"}]', "application/json", "?format=mongo"), (b"name\r\na\r\n", "text/csv", ""),
    ],
)  # fmt: skip
def test_formats_are_known_by_media(ann: Caller, body: bytes, media: str, query: str) -> None:
    assert take(ann, body, query, {"Content-Type": media}).json["created"] == 1


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {"Content-Type": "text/plain"}, 415), ("", {**CSV, "Content-Encoding": "gzip"}, 415), ("?dry_run=1", CSV, 422),
        ("?format=xml", CSV, 422), ("?on_duplicate=x", CSV, 422), ("?foo=1", CSV, 422),
    ],
)  # fmt: skip
def test_odd_requests_are_refused(ann: Caller, query: str, headers: Any, status: int) -> None:
    assert take(ann, b"name\na\n", query, headers).status == status


def test_body_without_length_is_read(ann: Caller, shop: Core) -> None:
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": f"{CUSTOMERS}/import", "CONTENT_TYPE": "text/csv",
        "HTTP_AUTHORIZATION": f"Bearer {ann.token}", "wsgi.input": io.BytesIO(b"name\na\nb\n"), "wsgi.input_terminated": True,
    }  # fmt: skip
    body = b"".join(shop.door(environ, lambda status, headers: None))
    assert orjson.loads(body)["created"] == 2


def test_too_long_body_is_refused(declare: Declare, shop: Core, ann: Caller) -> None:
    operation = next(found for found in shop.site.app.operations if found.kind == "import")
    assert operation.body_limit == shop.site.app.settings.import_limit == 1 << 30
    environ = {"CONTENT_LENGTH": str((1 << 30) + 1)}
    assert ann.send("POST", f"{CUSTOMERS}/import", b"x", CSV, environ_overrides=environ).status == 413


def test_shortened_body_is_refused(ann: Caller) -> None:
    reply = ann.send(
        "POST", f"{CUSTOMERS}/import", b"name\na\n", CSV, environ_overrides={"CONTENT_LENGTH": "99"}
    )
    assert (reply.status, names(ann)) == (400, [])
