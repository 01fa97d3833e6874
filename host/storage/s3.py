"""Files in an S3 bucket, or in anything that speaks its protocol: uploads in parts, downloads by range."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from host.errors import Unavailable
from host.storage.paths import checked
from host.storage.protocol import PIECE, Item, Missing, Source, Stored

PART: Final = 8 << 20  # S3 takes no part under 5 MiB but the last
_ABSENT: Final = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
Client = Any  # boto3 makes its classes at run time


@dataclass(frozen=True)
class S3Storage:
    """Files below a prefix of a bucket. `redirects` lets clients fetch them there, by links that the host signs."""

    client: Client
    bucket: str
    prefix: str = ""
    redirects: bool = False

    def begin(self, path: str) -> S3Draft:
        """A draft that keeps at most one part in memory."""
        return S3Draft(self, checked(path))

    def open(self, path: str, start: int = 0, length: int | None = None) -> Source:
        """The object's bytes from `start` on, as they come."""
        size = self.size(path)
        rest = max(size - start, 0)
        wanted = rest if length is None else min(length, rest)
        if wanted == 0:
            return Source(size, 0, iter(()))
        with failures(path):
            found = self.client.get_object(
                Bucket=self.bucket, Key=self.key(path), Range=f"bytes={start}-{start + wanted - 1}"
            )
        return Source(size, wanted, _pieces(found["Body"], path))

    def size(self, path: str) -> int:
        """How many bytes it has."""
        with failures(path):
            return int(self.client.head_object(Bucket=self.bucket, Key=self.key(path))["ContentLength"])

    def delete(self, path: str) -> bool:
        """Remove it. A bucket does not tell by itself whether there was anything."""
        key = self.key(path)
        try:
            self.size(path)
        except Missing:
            return False
        with failures(path):
            self.client.delete_object(Bucket=self.bucket, Key=key)
        return True

    def items(self, prefix: str = "") -> Iterator[Item]:
        """Every object whose key begins so."""
        root = f"{self.prefix}/" if self.prefix else ""
        start = root + (checked(prefix) if prefix else "")
        with failures(start):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start)
            for page in pages:
                for found in page.get("Contents", ()):
                    yield Item(found["Key"].removeprefix(root), found["Size"], found["LastModified"])

    def drafts(self) -> Iterator[Item]:
        """Uploads that were begun and not finished. `path` is the upload's number behind the key."""
        root = f"{self.prefix}/" if self.prefix else ""
        with failures(root):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=root
            )
            for page in pages:
                for found in page.get("Uploads", ()):
                    yield Item(f"{found['Key']}?{found['UploadId']}", 0, found["Initiated"])

    def drop_draft(self, item: Item) -> None:
        """End an upload for good."""
        key, _, number = item.path.partition("?")
        with failures(key):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=number)

    def link(self, path: str, name: str, media_type: str, seconds: int) -> str | None:
        """A link signed for the bucket, always answered as something to be saved."""
        if not self.redirects:
            return None
        said = {
            "Bucket": self.bucket, "Key": self.key(path), "ResponseContentType": media_type,
            "ResponseContentDisposition": name,
        }  # fmt: skip
        return str(self.client.generate_presigned_url("get_object", Params=said, ExpiresIn=seconds))

    def key(self, path: str) -> str:
        """The object's key."""
        return f"{self.prefix}/{checked(path)}" if self.prefix else checked(path)


class S3Draft:
    """An object being written: one request when it is small, else in parts."""

    def __init__(self, storage: S3Storage, path: str) -> None:
        self._storage, self._path = storage, path
        self._size, self._hash = 0, hashlib.sha256()
        self._buffer = bytearray()
        self._upload: str | None = None
        self._tags: list[str] = []

    def write(self, data: bytes) -> None:
        """Append; a full part is sent at once."""
        self._hash.update(data)
        self._size += len(data)
        self._buffer += data
        if len(self._buffer) >= PART:
            self._send_part()

    def finish(self) -> Stored:
        """Complete the object."""
        place = self._place()
        with failures(self._path):
            if self._upload is None:
                self._storage.client.put_object(**place, Body=bytes(self._buffer))
            else:
                if self._buffer:
                    self._send_part()
                parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(self._tags, 1)]
                self._storage.client.complete_multipart_upload(
                    **place, UploadId=self._upload, MultipartUpload={"Parts": parts}
                )
        self._upload = None
        return Stored(self._path, self._size, self._hash.hexdigest())

    def discard(self) -> None:
        """End the upload for good."""
        upload, self._upload = self._upload, None
        self._buffer.clear()
        if upload is not None:
            with suppress(Missing), failures(self._path):
                self._storage.client.abort_multipart_upload(**self._place(), UploadId=upload)

    def _send_part(self) -> None:
        with failures(self._path):
            if self._upload is None:
                begun = self._storage.client.create_multipart_upload(**self._place())
                self._upload = str(begun["UploadId"])
            sent = self._storage.client.upload_part(
                **self._place(),
                UploadId=self._upload,
                PartNumber=len(self._tags) + 1,
                Body=bytes(self._buffer),
            )
        self._tags.append(sent["ETag"])
        self._buffer.clear()

    def _place(self) -> dict[str, str]:
        return {"Bucket": self._storage.bucket, "Key": self._storage.key(self._path)}


@contextmanager
def failures(path: str) -> Iterator[None]:
    """What boto3 raises as what a storage raises."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            raise Missing(path) from error
        raise Unavailable("the file storage refuses the request") from error
    except BotoCoreError as error:
        raise Unavailable("the file storage does not answer") from error


def _pieces(body: Any, path: str) -> Iterator[bytes]:
    read: Callable[[int], bytes] = body.read
    try:
        with failures(path):
            while piece := read(PIECE):
                yield piece
    finally:
        body.close()
