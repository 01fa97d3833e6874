"""The storage that the settings name. Called by `application` and by commands; connects to nothing yet."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from host.errors import ConfigurationError
from host.settings import StorageSettings
from host.storage.disk import DiskStorage
from host.storage.protocol import Storage


def open_storage(settings: StorageSettings, root: Path) -> Storage:
    """A folder below the site's root (or anywhere, by an absolute path), or a bucket. ConfigurationError for the rest."""
    if not settings.place.startswith("s3:"):
        return DiskStorage(root / (settings.place or "var/files"))
    parts = urlsplit(settings.place)
    if not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"HOSTWRIGHT_STORAGE is {settings.place!r}; it has to be a folder or s3://bucket/prefix"
        )
    return _open_bucket(settings, parts.netloc, parts.path.strip("/"))


def _open_bucket(settings: StorageSettings, bucket: str, prefix: str) -> Storage:
    import boto3  # takes a third of a second and is only wanted where there is a bucket
    from botocore.config import Config

    from host.storage.s3 import S3Storage

    client = boto3.client(
        "s3", endpoint_url=settings.s3_endpoint, region_name=settings.s3_region,
        aws_access_key_id=settings.s3_key, aws_secret_access_key=settings.s3_secret,
        config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3, "mode": "standard"}),
    )  # fmt: skip
    return S3Storage(client, bucket, prefix, settings.s3_redirect)
