"""An S3 of one's own: moto's server in a process of its own, with a new bucket for each storage."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from host.settings import StorageSettings
from tests.support.serving import free_port


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a running server."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
    )  # fmt: skip
    try:
        _await(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def bucket_settings(endpoint: str, prefix: str = "site", *, redirect: bool = False) -> StorageSettings:
    """The settings of a new, empty bucket."""
    import boto3

    bucket = f"files-{secrets.token_hex(6)}"
    settings = StorageSettings(
        place=f"s3://{bucket}/{prefix}".rstrip("/"), s3_endpoint=endpoint, s3_region="us-east-1",
        s3_key="test", s3_secret="test", s3_redirect=redirect,
    )  # fmt: skip
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket=bucket)
    client.close()
    return settings


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the S3 server did not start")
