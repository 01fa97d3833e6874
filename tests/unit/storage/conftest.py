"""A storage of each kind: a folder, and a bucket of a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.settings import StorageSettings
from host.storage import Storage
from host.storage.opening import open_storage
from tests.support.s3 import bucket_settings, s3_server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=["disk", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "disk":
        return open_storage(StorageSettings(), tmp_path)
    return open_storage(bucket_settings(request.getfixturevalue("endpoint")), tmp_path)
