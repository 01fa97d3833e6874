"""Files on wires of other systems, below parents, of accounts, within quotas and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from openapi_spec_validator import validate
from werkzeug.test import Client

from host.application import assemble
from host.errors import DeclarationError
from host.settings import Settings, StorageSettings
from host.testing.fixtures import complete
from host.testing.sites import SECRET, Site
from host.web.documents import build_document
from tests.support.pictures import picture
from tests.support.s3 import bucket_settings, s3_server
from tests.support.sites import Caller, Core, Declare, Reply

SITE = """
resources:
  board:
    mixins: [owned]
    fields: {title: string}
    access: owner
  entity:
    path: /api/boards/{board}/entities
    mixins: [owned]
    fields: {title: {type: string, required: true}, photo: {type: image, folder: entity_photos}}
    relations: {board: {to: board, required: true, on_delete: cascade}}
    access: board.owner == me
    wires:
      main:
        operations: [list, create, update, delete]
        names: {photo: photo_url}
        values: {file: url}
        files: {photo: {path: photo}}
      old:
        path: /api/board/{board}/entities
        item: /api/board/{board}/entity/{id}
        slash: both
        operations: [list, create, update]
        names: {photo: photo_url}
        values: {file: url}
        errors: {keys: [error], status: {invalid: 400, hidden: 403}}
        files:
          photo:
            path: photo
            part: photo
            operations: [upload, clear]
            upload: {methods: [POST], body: message_value, message: Photo updated}
            clear: {body: message, message: Photo removed}
  attachment:
    path: /api/boards/{entity.board}/entities/{entity}/attachments
    mixins: [{owned: {as: uploaded_by}}]
    fields:
      file: {type: file, required: true, folder: attachments}
      filename: {type: string, max: 255, mirror: file.name}
    relations: {entity: {to: entity, required: true, on_delete: cascade}}
    access: entity.board.owner == me
    wire:
      operations: [list, create, delete]
      names: {file: {name: file_url, accept: [file]}}
      through: {picture: uploaded_by.avatar}
      values: {file: url}
      list: {key: attachments}
"""
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def form(caller: Caller, method: str, path: str, **parts: Any) -> Reply:
    data = {key: (BytesIO(it[0]), it[1]) if isinstance(it, tuple) else it for key, it in parts.items()}
    headers = {"Authorization": f"Bearer {caller.token}"}
    answer = Client(caller.door).open(
        path, method=method, data=data, headers=headers, content_type="multipart/form-data"
    )
    return Reply(answer.status_code, answer.data, answer.headers)  # type: ignore[arg-type]


def entity(caller: Caller) -> tuple[str, str]:
    board = caller.make("/api/boards")["id"]
    return board, caller.make(f"/api/boards/{board}/entities", title="x")["id"]


def test_old_wires_keep_their_answers(core: Core) -> None:
    ann, bob = core.user(), core.user()
    board, row = entity(ann)
    path = f"/api/board/{board}/entity/{row}/photo/"
    stored = form(ann, "POST", path, photo=(picture(), "p.png"))
    assert (stored.status, stored.json["message"]) == (200, "Photo updated")
    url = stored.json["photo_url"]
    assert url.startswith(f"/api/boards/{board}/entities/{row}/photo?v=")
    assert [caller.get(url).status for caller in (ann, bob)] == [200, 404]
    none = form(ann, "POST", path)
    assert (none.status, none.json["error"]) == (400, 'send one file as the part "photo"')
    assert form(bob, "POST", path, photo=(picture(), "p.png")).status == 403
    assert [ann.get(path).status, ann.put(path, {}).status] == [405, 405]
    assert ann.delete(path).json == {"message": "Photo removed"}
    assert ann.get(f"/api/board/{board}/entities/").json["items"][0]["photo_url"] is None


def test_nested_rows_come_with_files(core: Core) -> None:
    ann, bob = core.user(), core.user()
    board, row = entity(ann)
    path = f"/api/boards/{board}/entities/{row}/attachments"
    before = list(core.site.runtime.storage.items("attachments"))
    made = form(ann, "POST", path, file=(b"%PDF-1.4 x", "a b.pdf"))
    assert (made.status, made.json["filename"], made.json["picture"]) == (201, "a b.pdf", None)
    url = made.json["file_url"]
    assert url.startswith(f"{path}/{made.json['id']}/file_url?v=")
    assert [ann.get(url).status, bob.get(url).status] == [200, 404]
    assert form(bob, "POST", path, file=(b"%PDF-1.4 x", "x.pdf")).status == 404
    assert ann.get(path).json["attachments"] == [made.json]
    other, _ = entity(ann)
    assert ann.get(url.replace(board, other)).status == 404
    assert ann.delete(f"/api/boards/{board}").status == 204
    assert ann.get(url).status == 404
    assert list(core.site.runtime.storage.items("attachments")) == before


def test_accounts_have_pictures(core: Core) -> None:
    ann, bob = core.user(), core.user()
    path = "/api/auth/me/avatar"
    assert ann.get(path).status == 404
    for part in ("avatar", "file"):
        stored = form(ann, "POST", path, **{part: (picture(), "me.png")})
        assert stored.status == 200 and stored.json["message"], stored.body
    url = ann.get("/api/auth/me").json["avatar"]
    assert url.startswith(f"/api/auth/accounts/{ann.actor.id if ann.actor else ''}/avatar?v=")
    assert core.anonymous.get(url).status == 200
    plain = url.partition("?")[0]
    statuses = [caller.get(plain).status for caller in (ann, bob, core.user(role="admin"), core.anonymous)]
    assert statuses == [200, 404, 200, 401]
    assert ann.get(f"{path}?variant=small").status == 200
    assert core.anonymous.send("PUT", path, picture(), PNG).status == 401
    wrong = ann.send("PUT", path, b"<svg/>", {"Content-Type": "image/svg+xml"})
    assert (wrong.status, wrong.pointers) == (415, ["/avatar"])
    board, row = entity(ann)
    made = form(ann, "POST", f"/api/boards/{board}/entities/{row}/attachments", file=(b"x", "x.txt"))
    assert core.anonymous.get(made.json["picture"]).status == 200
    assert ann.delete(path).status == 200
    assert ann.get("/api/auth/me").json["avatar"] is None


def test_documents_tell_of_files(core: Core) -> None:
    document = build_document(core.site.app)
    validate(document)
    create = document["paths"]["/api/boards/{entity_board}/entities/{entity}/attachments"]["post"]
    assert list(create["requestBody"]["content"]) == ["multipart/form-data"]
    upload = document["paths"]["/api/board/{board}/entity/{id}/photo"]["post"]
    assert upload["responses"]["200"]["content"]["application/json"]["schema"]["required"] == [
        "message",
        "photo_url",
    ]
    download = document["paths"]["/api/boards/{board}/entities/{id}/photo"]["get"]
    assert {"200", "206", "304", "404", "416"} <= set(download["responses"])


def test_two_fields_cannot_share_a_path(declare: Declare) -> None:
    with pytest.raises(DeclarationError, match="is claimed by"):
        declare("""
        resources:
          paper:
            access: public
            fields: {scan: file, photo: image}
            wire: {files: {scan: {path: photo}}}
        """)


# --- quotas and buckets -----------------------------------------------------------------------------------------------

ONE = """
resources:
  paper:
    mixins: [owned]
    fields: {scan: {type: file, max: 20MB}}
    access: owner
"""


def site_with(folder: Path, storage: StorageSettings) -> Core:
    (folder / "resources.yaml").write_text(complete(ONE))
    settings = Settings(
        root=folder, secret=SECRET, database_url=f"sqlite:///{folder / 'test.db'}", storage=storage
    )
    site = Site(assemble(settings))
    site.runtime.registry.metadata.create_all(site.database.engine)
    return Core(site)


def test_quota_is_an_accounts_own(tmp_path: Path) -> None:
    core = site_with(tmp_path, StorageSettings(quota=1000))
    ann, bob = core.user(), core.user()
    text = {"Content-Type": "text/plain"}
    paths = [f"/api/papers/{ann.make('/api/papers')['id']}/scan" for _ in range(2)]
    assert ann.send("PUT", paths[0], b"x" * 700, text).status == 200
    refused = ann.send("PUT", paths[1], b"x" * 400, text)
    assert (refused.status, refused.json["code"]) == (507, "insufficient_storage")
    assert sum(1 for _ in core.site.runtime.storage.items()) == 1
    theirs = f"/api/papers/{bob.make('/api/papers')['id']}/scan"
    assert bob.send("PUT", theirs, b"x" * 400, text).status == 200
    assert ann.delete(paths[0]).status == 204
    assert ann.send("PUT", paths[1], b"x" * 400, text).status == 200
    core.site.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


def test_files_live_in_a_bucket(endpoint: str, tmp_path: Path) -> None:
    core = site_with(tmp_path, bucket_settings(endpoint))
    ann = core.user()
    path = f"/api/papers/{ann.make('/api/papers')['id']}/scan"
    data = bytes(range(256)) * (10 << 12)  # more than one part
    binary = {"Content-Type": "application/octet-stream"}
    assert ann.send("PUT", path, data, binary).json["size"] == len(data)
    whole, part = ann.get(path), ann.get(path, {"Range": "bytes=256-259"})
    assert whole.body == data
    assert (part.status, part.body) == (206, bytes(range(4)))
    assert ann.send("PUT", path, b"MZ" + bytes(60), {"Content-Type": "image/png"}).status == 422
    assert ann.send("PUT", path, b"small", binary).status == 200
    assert len(list(core.site.runtime.storage.items())) == 1
    assert ann.delete(path).status == 204
    assert not list(core.site.runtime.storage.items()) and not list(core.site.runtime.storage.drafts())
    core.site.close()


def test_bucket_serves_by_itself(endpoint: str, tmp_path: Path) -> None:
    core = site_with(tmp_path, bucket_settings(endpoint, redirect=True))
    ann, bob = core.user(), core.user()
    path = f"/api/papers/{ann.make('/api/papers')['id']}/scan"
    said = {"Content-Type": "text/plain", "Content-Disposition": 'attachment; filename="notes.txt"'}
    assert ann.send("PUT", path, b"over there", said).status == 200
    answer = ann.get(path)
    assert (answer.status, bob.get(path).status) == (302, 404)
    with urlopen(answer.headers["Location"], timeout=10) as found:
        assert found.read() == b"over there"
        assert found.headers["Content-Disposition"] == 'inline; filename="notes.txt"'
    core.site.close()
