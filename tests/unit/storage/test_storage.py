"""What every storage promises, on a disk and in a bucket."""

from __future__ import annotations

import hashlib
import urllib.request
from pathlib import Path

import pytest

from host.errors import ConfigurationError, Unavailable
from host.settings import StorageSettings
from host.storage import Missing, Storage
from host.storage.opening import open_storage
from host.storage.paths import checked, is_own, new_path
from host.storage.s3 import PART
from tests.support.s3 import bucket_settings

FOREIGN = [
    "",
    "/etc/passwd",
    "../secret",
    "a/../../b",
    "a//b",
    "a/./b",
    ".drafts/x",
    "a\x00b",
    "a\\b",
    "x" * 2000,
    "a/\n",
]


def store(storage: Storage, data: bytes, path: str = "") -> str:
    draft = storage.begin(path or new_path("demo", ".bin"))
    draft.write(data)
    return draft.finish().path


def whole(storage: Storage, path: str, start: int = 0, length: int | None = None) -> bytes:
    source = storage.open(path, start, length)
    try:
        return b"".join(source.pieces)
    finally:
        source.close()


def test_stored_bytes_come_back(storage: Storage) -> None:
    path = new_path("demo", ".txt")
    draft = storage.begin(path)
    draft.write(b"hello ")
    draft.write(b"world")
    stored = draft.finish()
    assert (stored.path, stored.size) == (path, 11)
    assert stored.digest == hashlib.sha256(b"hello world").hexdigest()
    assert (whole(storage, path), storage.size(path)) == (b"hello world", 11)
    assert [item.path for item in storage.items()] == [path]
    assert not list(storage.drafts())


def test_empty_file_is_a_file(storage: Storage) -> None:
    path = store(storage, b"")
    assert (whole(storage, path), storage.size(path)) == (b"", 0)


def test_ranges_are_read_alone(storage: Storage) -> None:
    path = store(storage, bytes(range(200)))
    assert whole(storage, path, 10, 5) == bytes(range(10, 15))
    assert whole(storage, path, 190) == bytes(range(190, 200))
    source = storage.open(path, 195, 100)
    assert (source.size, source.length) == (200, 5)
    source.close()
    assert whole(storage, path, 500, 5) == b""


def test_large_files_go_in_parts(storage: Storage) -> None:
    data = hashlib.shake_256(b"seed").digest(2 * PART + 1234)
    draft = storage.begin(path := new_path("demo"))
    for at in range(0, len(data), 3 << 20):
        draft.write(data[at : at + (3 << 20)])
    assert draft.finish().size == len(data)
    assert hashlib.sha256(whole(storage, path)).digest() == hashlib.sha256(data).digest()


def test_discarded_draft_leaves_nothing(storage: Storage) -> None:
    draft = storage.begin(path := new_path("demo"))
    draft.write(b"x" * (PART + 1))
    draft.discard()
    draft.discard()
    assert not list(storage.items()) and not list(storage.drafts())
    with pytest.raises(Missing):
        storage.size(path)


def test_unfinished_draft_can_be_swept(storage: Storage) -> None:
    draft = storage.begin(new_path("demo"))
    draft.write(b"x" * (PART + 1))
    left = list(storage.drafts())
    assert len(left) == 1 and not list(storage.items())
    storage.drop_draft(left[0])
    draft.discard()
    assert not list(storage.drafts())


def test_deleting_says_whether_it_was_there(storage: Storage) -> None:
    path = store(storage, b"x")
    assert (storage.delete(path), storage.delete(path)) == (True, False)
    with pytest.raises(Missing):
        storage.open(path)


@pytest.mark.parametrize("path", FOREIGN)
def test_no_path_leads_out_of_the_root(storage: Storage, path: str) -> None:
    for use in (storage.open, storage.size, storage.delete, storage.begin):
        with pytest.raises(Missing):
            use(path)


def test_names_of_others_are_served(storage: Storage) -> None:
    path = store(storage, b"x", "entity_photos/Photo de famille (1) é.jpg")
    assert whole(storage, path) == b"x"
    assert not is_own(path)
    assert is_own(store(storage, b"y"))


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    files = tmp_path / "var" / "files"
    (files / "a").mkdir(parents=True)
    (files / "a" / "link").symlink_to(tmp_path / "secret")
    (files / "b").symlink_to(tmp_path)
    storage = open_storage(StorageSettings(), tmp_path)
    for path in ("a/link", "b/secret", "a", "missing", "a/link/x"):
        with pytest.raises(Missing):
            storage.open(path)


def test_only_the_service_reads_the_files(tmp_path: Path) -> None:
    store(open_storage(StorageSettings(), tmp_path), b"x")
    folders = [folder for folder in (tmp_path / "var" / "files").rglob("*") if folder.is_dir()]
    assert folders and all(folder.stat().st_mode & 0o077 == 0 for folder in folders)


def test_bucket_links_need_the_setting(endpoint: str, tmp_path: Path) -> None:
    plain = open_storage(bucket_settings(endpoint), tmp_path)
    assert plain.link(store(plain, b"x"), "attachment", "text/plain", 60) is None
    storage = open_storage(bucket_settings(endpoint, redirect=True), tmp_path)
    address = storage.link(store(storage, b"over there"), 'attachment; filename="a.txt"', "text/plain", 60)
    with urllib.request.urlopen(str(address), timeout=10) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"over there", "text/plain")


def test_absent_bucket_is_unavailable(endpoint: str, tmp_path: Path) -> None:
    settings = StorageSettings(
        place="s3://nowhere-at-all", s3_endpoint=endpoint, s3_region="us-east-1", s3_key="a", s3_secret="b"
    )
    draft = open_storage(settings, tmp_path).begin(new_path("demo"))
    draft.write(b"x")
    with pytest.raises(Unavailable):
        draft.finish()


def test_wrong_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="s3://bucket/prefix"):
        open_storage(StorageSettings(place="s3:bucket"), tmp_path)


def test_absolute_folder_is_taken(tmp_path: Path) -> None:
    storage = open_storage(StorageSettings(place=str(tmp_path / "elsewhere")), Path("/nowhere"))
    assert whole(storage, checked(store(storage, b"x"))) == b"x"
