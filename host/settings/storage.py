"""What the operator decides about files: where they are kept, how much, and how long links to them hold."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Files. Sizes in bytes, times in seconds."""

    place: str = setting("", "STORAGE")  # a folder, by default var/files, or s3://bucket/prefix
    s3_endpoint: str | None = setting(None, "S3_ENDPOINT")
    s3_region: str | None = setting(None, "S3_REGION")
    s3_key: str | None = setting(None, "S3_KEY")
    s3_secret: str | None = setting(None, "S3_SECRET", secret=True)
    s3_redirect: bool = setting(False, "S3_REDIRECT")
    quota: int | None = setting(None, "FILE_QUOTA", kind="size")
    most_pixels: int = setting(50_000_000, "IMAGE_PIXELS")
    link_seconds: int = setting(3600, "FILE_LINK_SECONDS")
    grace_seconds: int = setting(24 * 3600, "FILE_GRACE_SECONDS")
