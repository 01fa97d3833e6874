"""Files of rows over HTTP: stored, shown, changed and removed with their row, and as visible as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from werkzeug.test import Client

from host.storage import Missing
from tests.support.pictures import picture
from tests.support.sites import Caller, Core, Declare, Reply

SITE = """
resources:
  paper:
    mixins: [owned, stamped, versioned]
    fields:
      title: {type: string, required: true}
      pages: integer
      words: {type: list, of: {type: string}}
      scan: {type: file, max: 2KB, types: [text/plain, application/pdf]}
      photo: {type: image, max: 1MB, variants: {thumb: {width: 20, height: 20, fit: cover}}, links: signed}
      inner: {type: file, read: "role('admin')", write: "role('admin')"}
      scan_name: {type: string, max: 20, mirror: scan.name}
      scan_size: {type: integer, mirror: scan.size}
      scan_type: {type: string, mirror: scan.type}
      scan_digest: {type: string, mirror: scan.digest}
    access: {list: owner, get: [owner, "role('reader')"], create: authenticated, update: owner, delete: owner}
    query: {filter: [scan]}
  sheet:
    operations: [list, get, create, delete]
    fields: {file: {type: file, required: true}, name: {type: string}}
    relations: {paper: {to: paper, on_delete: cascade}}
    access: {create: authenticated, read: authenticated, delete: authenticated}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture(autouse=True)
def nothing_left_behind(core: Core) -> Iterator[None]:
    """Whatever a test does, no upload is left half-way and every stored file has a row."""
    yield
    storage = core.site.runtime.storage
    assert not list(storage.drafts())
    with core.reading() as ctx:
        recorded = {
            row[0]
            for row in ctx.execute(
                ctx.table("host.file").select().with_only_columns(ctx.table("host.file").c.path)
            )
        }
    assert {item.path.partition("~")[0] for item in storage.items()} == recorded


def send(caller: Caller, method: str, path: str, files: dict[str, Any], **texts: Any) -> Reply:
    """A form; files are `(content, name)` or `(content, name, type)`."""
    data: dict[str, Any] = dict(texts)
    data |= {key: (BytesIO(given[0]), *given[1:]) for key, given in files.items()}
    headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
    answer = Client(caller.door).open(
        path, method=method, data=data, headers=headers, content_type="multipart/form-data"
    )
    return Reply(answer.status_code, answer.data, answer.headers)  # type: ignore[arg-type]


def paper(caller: Caller, **files: Any) -> dict[str, Any]:
    reply = send(caller, "POST", "/api/papers", files, title="a")
    assert reply.status == 201, reply.body
    row: dict[str, Any] = reply.json
    return row


def stored(core: Core) -> int:
    return sum(1 for _ in core.site.runtime.storage.items())


# --- storing ----------------------------------------------------------------------------------------------------------


def test_row_and_file_come_in_one_request(core: Core) -> None:
    ann = core.user()
    reply = send(
        ann, "POST", "/api/papers", {"scan": (b"hello", "a b.txt")}, title="x", pages="3", words=["a", "b"]
    )
    row = reply.json
    assert (reply.status, row["pages"], row["words"]) == (201, 3, ["a", "b"])
    assert {key: row["scan"][key] for key in ("name", "size", "type")} == {
        "name": "a b.txt", "size": 5, "type": "text/plain",
    }  # fmt: skip
    assert (row["scan_name"], row["scan_size"], row["scan_type"]) == ("a b.txt", 5, "text/plain")
    assert row["scan_digest"] == hashlib.sha256(b"hello").hexdigest()
    assert ann.get(row["scan"]["url"]).body == b"hello"
    assert ann.get(f"/api/papers/{row['id']}").json["scan"] == row["scan"]
    assert ann.get("/api/papers").json["items"][0]["scan"] == row["scan"]


def test_file_is_stored_by_itself(core: Core) -> None:
    ann = core.user()
    path = f"/api/papers/{paper(ann)['id']}/scan"
    said = {"Content-Type": "text/plain", "Content-Disposition": 'attachment; filename="notes.txt"'}
    raw = ann.send("PUT", path, b"by itself", said)
    assert (raw.status, raw.json["name"], raw.json["size"]) == (200, "notes.txt", 9)
    form = send(ann, "POST", path, {"scan": (b"in a form", "form.txt")})
    assert (form.status, form.json["name"], ann.get(path).body) == (200, "form.txt", b"in a form")


def test_replaced_and_removed_files_are_gone(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"one", "1.txt"))
    path, before = f"/api/papers/{row['id']}/scan", stored(core)
    assert send(ann, "PUT", path, {"scan": (b"two", "2.txt")}).status == 200
    assert stored(core) == before
    assert ann.delete(path).status == 204
    assert (stored(core), ann.get(path).status) == (before - 1, 404)
    shown = ann.get(f"/api/papers/{row['id']}").json
    assert (shown["scan"], shown["scan_name"], shown["scan_size"]) == (None, None, None)


def test_null_in_a_patch_clears(core: Core) -> None:
    ann = core.user()
    row, before = paper(ann, scan=(b"x", "x.txt")), stored(core)
    changed = ann.patch(f"/api/papers/{row['id']}", {"scan": None, "title": "b"})
    assert (changed.status, changed.json["scan"], changed.json["title"]) == (200, None, "b")
    assert stored(core) == before - 1


def test_replacing_a_row_keeps_its_files(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"x", "x.txt"))
    replaced = ann.put(f"/api/papers/{row['id']}", {"title": "b"})
    assert (replaced.status, replaced.json["scan"]) == (200, row["scan"])


def test_form_updates_fields_and_files(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"x", "x.txt"))
    reply = send(ann, "PATCH", f"/api/papers/{row['id']}", {"scan": (b"yy", "y.txt")}, pages="7")
    assert (reply.status, reply.json["pages"], reply.json["scan"]["size"]) == (200, 7, 2)


def test_deleted_rows_take_their_files(core: Core) -> None:
    ann = core.user()
    row, before = paper(ann, scan=(b"x", "x.txt")), stored(core)
    for index in range(2):
        files = {"file": (b"sheet", f"{index}.txt")}
        assert send(ann, "POST", "/api/sheets", files, paper=row["id"]).status == 201
    assert stored(core) == before + 2
    assert ann.delete(f"/api/papers/{row['id']}").status == 204
    assert stored(core) == before - 1


def test_required_file_has_to_come(core: Core) -> None:
    ann = core.user()
    assert send(ann, "POST", "/api/sheets", {}, name="x").pointers == ["/file"]
    assert ann.post("/api/sheets", {"name": "x", "file": None}).pointers == ["/file"]
    made = send(ann, "POST", "/api/sheets", {"file": (b"x", "x.txt")}).json
    assert ann.delete(f"/api/sheets/{made['id']}/file").status == 405


def test_repeated_form_is_stored_once(core: Core) -> None:
    ann, before = core.user(), stored(core)
    boundary = (
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\na\r\n--b\r\n'
        b'Content-Disposition: form-data; name="scan"; filename="x.txt"\r\n\r\nonce\r\n--b--\r\n'
    )
    said = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "form-1"}
    first, again = (ann.send("POST", "/api/papers", boundary, said) for _ in range(2))
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    assert stored(core) == before + 1


def test_journal_names_what_was_stored(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"x", "x.txt"))
    with core.reading() as ctx:
        entries = ctx.records("host.audit_entry").find_all(key=row["id"])
        path = ctx.records("paper").get(row["id"])["scan"]
    assert [path in str(entry["changes"]) for entry in entries] == [True]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field, content, name, sent, status, code",
    [
        ("scan", b"<html><script>", "a.txt", "text/plain", 422, "forged"),
        ("scan", picture(), "a.pdf", "application/pdf", 422, "forged"),
        ("scan", b"MZ\x90\x00" + bytes(60), "a.txt", "text/plain", 422, "forged"),
        ("scan", picture(), "a.png", "image/png", 415, "type"),
        ("scan", b"x" * 3000, "a.txt", "text/plain", 413, "too_large"),
        ("photo", b"<svg onload='alert(1)'/>", "a.svg", "image/svg+xml", 415, "type"),
        ("photo", b"\x89PNG\r\n\x1a\n" + b"x" * 100, "a.png", "image/png", 422, "picture"),
        ("photo", picture()[:60], "a.png", "image/png", 422, "picture"),
        ("photo", picture("JPEG"), "a.png", "image/png", 422, "forged"),
    ],
)
def test_wrong_files_leave_nothing(
    core: Core, field: str, content: bytes, name: str, sent: str, status: int, code: str
) -> None:  # fmt: skip
    ann = core.user()
    row, before = paper(ann), stored(core)
    created = send(ann, "POST", "/api/papers", {field: (content, name, sent)}, title="never")
    put = send(ann, "PUT", f"/api/papers/{row['id']}/{field}", {field: (content, name, sent)})
    for reply in (created, put):
        assert (reply.status, reply.json["errors"][0]["code"]) == (status, code), reply.body
        assert reply.pointers == [f"/{field}"]
    assert stored(core) == before
    assert len(ann.get("/api/papers").json["items"]) == 1


def test_empty_files_are_no_pictures(core: Core) -> None:
    ann = core.user()
    path = f"/api/papers/{paper(ann)['id']}"
    assert ann.send("PUT", f"{path}/photo", b"", {"Content-Type": "image/png"}).pointers == ["/photo"]
    empty = ann.send("PUT", f"{path}/scan", b"", {"Content-Type": "text/plain"})
    assert (empty.status, empty.json["size"], ann.get(f"{path}/scan").body) == (200, 0, b"")


def test_too_many_pixels_are_refused(core: Core) -> None:
    ann = core.user()
    bomb = picture("PNG", (8000, 8000))
    reply = send(ann, "POST", "/api/papers", {"photo": (bomb, "a.png")}, title="a")
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "picture")


def test_wrong_values_beside_a_file_leave_nothing(core: Core) -> None:
    ann, before = core.user(), stored(core)
    reply = send(ann, "POST", "/api/papers", {"scan": (b"x", "x.txt")}, pages="many")
    assert (reply.status, sorted(reply.pointers)) == (422, ["/pages", "/title"])
    assert stored(core) == before


def test_failing_transaction_leaves_nothing(core: Core) -> None:
    ann = core.user()
    row, before = paper(ann, scan=(b"old", "old.txt")), stored(core)
    stale = {"Authorization": f"Bearer {ann.token}", "If-Match": '"99"'}
    answer = Client(core.door).put(
        f"/api/papers/{row['id']}/scan", data=b"new", headers={**stale, "Content-Type": "text/plain"}
    )
    assert (answer.status_code, stored(core)) == (412, before)
    assert ann.get(f"/api/papers/{row['id']}/scan").body == b"old"


@pytest.mark.parametrize(
    "name, kept",
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("/etc/x.txt", "x.txt"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("\u202egnp.txt", "gnp.txt"),
        (".htaccess.txt", "htaccess.txt"),
        ("e\u0301tude.txt", "\u00e9tude.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_names_are_made_safe(core: Core, name: str, kept: str) -> None:
    ann = core.user()
    boundary = "frontier"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "%0D%0A").replace("\x00", "\x01")
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\na\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="scan"; filename="{quoted}"\r\n'
        f"Content-Type: text/plain\r\n\r\nx\r\n--{boundary}--\r\n"
    ).encode()
    said = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    made = ann.send("POST", "/api/papers", body, said)
    assert made.status == 201, made.body
    assert made.json["scan"]["name"].replace("%0D%0A", "") == kept
    with core.reading() as ctx:
        path = ctx.records("paper").get(made.json["id"])["scan"]
    assert path.startswith("site/paper/") and path.endswith(".txt") and ".." not in path


def test_texts_cannot_become_files(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"mine", "x.txt"))
    for given in ("site/paper/00/x", {"path": "x"}, 5, ""):
        assert ann.patch(f"/api/papers/{row['id']}", {"scan": given}).pointers == ["/scan"]
    assert send(ann, "POST", "/api/papers", {}, title="a", scan="../../etc/passwd").pointers == ["/scan"]
    assert ann.post("/api/papers/bulk", [{"title": "a", "scan": "x"}]).status == 422
    assert ann.post("/api/papers", {"title": "a", "scan_name": "mine"}).pointers == ["/scan_name"]


def test_unknown_parts_are_refused(core: Core) -> None:
    ann = core.user()
    assert send(ann, "POST", "/api/papers", {"other": (b"x", "x.txt")}, title="a").pointers == ["/other"]
    assert send(ann, "POST", "/api/papers", {}, title="a", other="x").pointers == ["/other"]
    path = f"/api/papers/{paper(ann)['id']}/scan"
    assert send(ann, "PUT", path, {"other": (b"x", "x.txt")}).status == 422
    assert send(ann, "PUT", path, {}).pointers == ["/scan"]


@pytest.mark.parametrize(
    "body, said, status",
    [
        (b"x", "multipart/form-data", 415),
        (b"x", "multipart/form-data; boundary=b", 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="scan"; filename="a.txt"\r\n\r\nabc',
            "multipart/form-data; boundary=b",
            400,
        ),
        (b"--b\r\n\r\nabc\r\n--b--", "multipart/form-data; boundary=b", 400),
        (b"--b\r\nX: " + b"y" * 9000, "multipart/form-data; boundary=b", 413),
        (
            b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
        ),
    ],
)
def test_broken_forms_are_told(core: Core, body: bytes, said: str, status: int) -> None:
    ann, before = core.user(), stored(core)
    assert ann.send("POST", "/api/papers", body, {"Content-Type": said}).status == status
    assert stored(core) == before


# --- who may ----------------------------------------------------------------------------------------------------------


def test_file_is_as_visible_as_its_row(core: Core) -> None:
    ann, bob, reader = core.user(), core.user(), core.user(role="reader")
    row = paper(ann, scan=(b"x", "x.txt"))
    path = f"/api/papers/{row['id']}/scan"
    statuses = [caller.get(path).status for caller in (ann, reader, bob, core.anonymous)]
    assert statuses == [200, 200, 404, 401]
    assert [caller.get(f"{path}/link").status for caller in (ann, reader, bob, core.anonymous)] == [
        200,
        200,
        404,
        401,
    ]


def test_body_is_not_read_for_strangers(core: Core) -> None:
    ann, bob, reader = core.user(), core.user(), core.user(role="reader")
    path = f"/api/papers/{paper(ann)['id']}/scan"

    class Unread(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("the body was read")

    for caller, status in ((bob, 404), (reader, 403), (core.anonymous, 401)):
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        answer = Client(core.door).put(
            path,
            input_stream=Unread(),
            headers={**headers, "Content-Type": "text/plain", "Content-Length": "5"},
        )
        assert answer.status_code == status
        assert caller.delete(path).status == status


def test_field_rules_hold_for_files(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    path = f"/api/papers/{row['id']}/inner"
    assert "inner" not in row
    refused = send(ann, "PUT", path, {"inner": (b"x", "x.txt")})
    assert (refused.status, refused.pointers) == (403, ["/inner"])
    assert send(ann, "POST", "/api/papers", {"inner": (b"x", "x.txt")}, title="a").status == 403
    with core.writing() as ctx:
        ctx.records("paper").update(row["id"], {"inner": paper_path(core, row["id"])})
    assert ann.get(path).status == 404


def paper_path(core: Core, key: str) -> str | None:
    value: str | None = core.native("paper", key)["scan"]
    return value


def test_bodies_that_end_too_early_are_told(core: Core) -> None:
    ann = core.user()
    path = f"/api/papers/{paper(ann)['id']}/scan"
    for media in ("text/plain", "multipart/form-data; boundary=b"):
        headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": media}
        longer = {"CONTENT_LENGTH": "1000"}
        answer = Client(core.door).put(path, data=b"x" * 500, headers=headers, environ_overrides=longer)
        assert answer.status_code == 400
    assert ann.get(path).status == 404


@pytest.mark.parametrize(
    "said", ["x/y z", "text", "application/x\u00e9", "application/" + "x" * 200, "a b/c;d"]
)
def test_odd_media_types_are_not_believed(core: Core, said: str) -> None:
    ann = core.user()
    stored = send(ann, "POST", "/api/papers", {"scan": (b"words", "a.txt", said)}, title="a")
    assert (stored.status, stored.json["scan"]["type"]) == (201, "text/plain"), stored.body


def test_too_long_bodies_are_not_begun(core: Core) -> None:
    ann = core.user()
    path = f"/api/papers/{paper(ann)['id']}/scan"
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "text/plain"}
    answer = Client(core.door).put(path, data=b"x" * (2 << 20), headers=headers)
    assert answer.status_code == 413


# --- downloading ------------------------------------------------------------------------------------------------------


def test_ranges_are_answered(core: Core) -> None:
    ann = core.user()
    path = paper(ann, scan=(bytes(range(65, 75)), "x.txt"))["scan"]["url"]
    whole = ann.get(path)
    assert (whole.headers["Accept-Ranges"], whole.headers["Content-Length"]) == ("bytes", "10")
    cases = {
        "bytes=0-3": (206, b"ABCD", "bytes 0-3/10"),
        "bytes=8-": (206, b"IJ", "bytes 8-9/10"),
        "bytes=-3": (206, b"HIJ", "bytes 7-9/10"),
        "bytes=5-99": (206, b"FGHIJ", "bytes 5-9/10"),
        "bytes=10-": (416, b"", "bytes */10"),
        "bytes=-0": (416, b"", "bytes */10"),
        "bytes=4-2": (200, whole.body, None),
        "bytes=0-1,4-5": (200, whole.body, None),
        "lines=1-2": (200, whole.body, None),
    }
    for asked, expected in cases.items():
        reply = ann.get(path, {"Range": asked})
        body = b"" if reply.status == 416 else reply.body
        assert (reply.status, body, reply.headers.get("Content-Range")) == expected, asked


def test_copies_at_hand_are_good(core: Core) -> None:
    ann = core.user()
    path = paper(ann, scan=(b"hello", "x.txt"))["scan"]["url"]
    tag = ann.get(path).headers["ETag"]
    unchanged = ann.get(path, {"If-None-Match": tag})
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", tag)
    assert ann.get(path, {"Range": "bytes=0-1", "If-Range": tag}).status == 206
    assert ann.get(path, {"Range": "bytes=0-1", "If-Range": '"other"'}).status == 200
    head = ann.send("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "5")


def test_answers_are_safe_for_browsers(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"%PDF-1.4 x", 'é "quoted".pdf'), photo=(picture(), "p.png"))
    scan, photo = ann.get(row["scan"]["url"]), ann.get(row["photo"]["url"])
    assert scan.headers["Content-Disposition"].startswith('attachment; filename="')
    assert "filename*=UTF-8''%C3%A9" in scan.headers["Content-Disposition"]
    assert photo.headers["Content-Disposition"] == 'inline; filename="p.png"'
    for reply in (scan, photo):
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in reply.headers["Content-Security-Policy"]
        assert "private" in reply.headers["Cache-Control"]
    saved = ann.get(f"/api/papers/{row['id']}/photo?download=1")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert ann.get(f"/api/papers/{row['id']}/photo?other=1").status == 422


def test_signed_links_need_no_token(core: Core) -> None:
    ann = core.user()
    row = paper(ann, photo=(picture(), "p.png"), scan=(b"x", "x.txt"))
    url = row["photo"]["url"]
    assert core.anonymous.get(url).status == 200
    assert core.anonymous.get(f"{url}&variant=thumb").status == 200
    link = ann.get(f"/api/papers/{row['id']}/scan/link").json
    assert core.anonymous.get(link["url"]).body == b"x"
    query = link["url"].partition("?")[2]
    other = paper(ann, scan=(b"y", "y.txt"))
    changed = [
        url.replace("signature=", "signature=A"),
        url.replace("expires=1", "expires=2"),
        f"/api/papers/{row['id']}/photo?{query}",
        f"/api/papers/{other['id']}/scan?{query}",
        f"/api/papers/{row['id']}/scan?expires=x&signature=x",
        f"/api/papers/{row['id']}/scan?expires=1&signature=\u00e9",
    ]
    replies = [core.anonymous.get(address) for address in changed]
    assert [reply.status for reply in replies] == [403] * len(changed)
    assert {reply.json["detail"] for reply in replies} == {"this link does not hold"}


def test_links_end_with_their_file(core: Core) -> None:
    ann = core.user()
    row = paper(ann, photo=(picture(), "p.png"))
    ann.send("PUT", f"/api/papers/{row['id']}/photo", picture(colour="blue"), {"Content-Type": "image/png"})
    assert core.anonymous.get(row["photo"]["url"]).status == 403
    ann.delete(f"/api/papers/{row['id']}")
    assert core.anonymous.get(row["photo"]["url"]).status == 404


def test_links_end_with_time(core: Core) -> None:
    files = core.site.runtime.files
    assert files is not None
    query = dict(part.split("=") for part in files.signatures.query("a.b", ("k",), "p", 1000.0).split("&"))
    given = (query["expires"], query["signature"])
    assert files.signatures.holds("a.b", ("k",), "p", *given, int(query["expires"]) - 1)
    assert not files.signatures.holds("a.b", ("k",), "p", *given, int(query["expires"]))
    assert int(query["expires"]) >= 1000 + 3600


# --- smaller pictures -------------------------------------------------------------------------------------------------


def test_variants_are_made_once(core: Core) -> None:
    from PIL import Image

    ann = core.user()
    row, before = paper(ann, photo=(picture(size=(200, 100)), "p.png")), stored(core)
    path = f"/api/papers/{row['id']}/photo?variant=thumb"
    first, again = ann.get(path), ann.get(path)
    assert (first.status, first.headers["Content-Type"], first.body) == (200, "image/png", again.body)
    assert Image.open(BytesIO(first.body)).size == (20, 20)
    assert stored(core) == before + 1
    assert first.headers["ETag"] != ann.get(row["photo"]["url"]).headers["ETag"]
    assert ann.get(f"/api/papers/{row['id']}/photo?variant=huge").status == 422
    ann.delete(f"/api/papers/{row['id']}/photo")
    assert stored(core) == before - 1


def test_few_pictures_are_made_at_a_time(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.service.variants.PATIENCE", 0.05)
    files, ann = core.site.runtime.files, core.user()
    row = paper(ann, photo=(picture(), "p.png"))
    path = f"/api/papers/{row['id']}/photo?variant=thumb"
    assert files is not None
    with files.making, files.making:
        assert ann.get(path).status == 503
    assert ann.get(path).status == 200


def test_variants_are_upright_and_anonymous(core: Core) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at home"
    ann = core.user()
    tall = Image.new("RGB", (100, 50), "red")
    tall.paste("blue", (0, 0, 50, 50))
    file = BytesIO()
    tall.save(file, "JPEG", exif=exif)
    row = paper(ann, photo=(file.getvalue(), "p.jpg"))
    small = Image.open(BytesIO(ann.get(f"/api/papers/{row['id']}/photo?variant=thumb").body))
    assert not small.getexif() and "exif" not in small.info
    top, bottom = small.getpixel((10, 2)), small.getpixel((10, 17))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[2] > 150 > top[0] and bottom[0] > 150 > bottom[2]


# --- files of other systems -------------------------------------------------------------------------------------------


def test_files_of_other_systems_are_served(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    place = Path(core.site.app.settings.storage.place) / "papers"
    place.mkdir(parents=True, exist_ok=True)
    (place / "Été 1.txt").write_bytes(b"from elsewhere")
    with core.writing() as ctx:
        ctx.records("paper").update(row["id"], {"scan": "papers/Été 1.txt"})
    try:
        shown = ann.get(f"/api/papers/{row['id']}").json["scan"]
        assert (shown["name"], shown["size"], shown["type"]) == ("Été 1.txt", None, "text/plain")
        assert ann.get(shown["url"]).body == b"from elsewhere"
        assert ann.get(f"/api/papers/{row['id']}").json["scan"]["size"] == 14
        (place / "Été 1.txt").write_bytes(b"changed over there")
        assert ann.get(shown["url"]).body == b"changed over there"
        assert ann.delete(f"/api/papers/{row['id']}/scan").status == 204
        assert (place / "Été 1.txt").is_file()
    finally:
        (place / "Été 1.txt").unlink()
        with core.writing() as ctx:
            table = ctx.table("host.file")
            ctx.execute(table.delete().where(table.c.path == "papers/Été 1.txt"))


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "/etc/passwd", "papers/../../x", "missing.txt", ".drafts/x"]
)
def test_foreign_paths_lead_nowhere(core: Core, path: str) -> None:
    ann = core.user()
    row = paper(ann)
    with core.writing() as ctx:
        table = ctx.table("paper")
        ctx.execute(table.update().where(table.c.id == row["id"]).values(scan=path))
    assert ann.get(f"/api/papers/{row['id']}/scan").status == 404
    with pytest.raises(Missing):
        core.site.runtime.storage.open(path)


def test_empty_text_is_no_file(core: Core) -> None:
    ann = core.user()
    row = paper(ann)
    with core.writing() as ctx:
        table = ctx.table("paper")
        ctx.execute(table.update().where(table.c.id == row["id"]).values(scan=""))
    assert ann.get(f"/api/papers/{row['id']}").json["scan"] is None
    assert ann.get(f"/api/papers/{row['id']}/scan").status == 404
    assert [it["id"] for it in ann.get("/api/papers?scan[null]=true").json["items"]] == [row["id"]]


# --- other surfaces ---------------------------------------------------------------------------------------------------


def test_exports_show_where_files_are(core: Core) -> None:
    ann = core.user()
    row = paper(ann, scan=(b"x", "x.txt"))
    line = orjson.loads(ann.get("/api/papers/export?format=ndjson").body.splitlines()[0])
    assert line["scan"] == row["scan"]
    table = ann.get("/api/papers/export?format=csv").body.decode()
    assert row["scan"]["url"] in table


def test_imports_attach_no_paths(core: Core) -> None:
    ann = core.user()
    mine = core.native("paper", paper(core.user(), scan=(b"x", "x.txt"))["id"])["scan"]
    said = {"Content-Type": "application/x-ndjson"}
    reply = ann.send("POST", "/api/papers/import", orjson.dumps({"title": "a", "scan": mine}), said)
    assert b"multipart/form-data" in reply.body, reply.body
    assert not ann.get("/api/papers").json["items"]
