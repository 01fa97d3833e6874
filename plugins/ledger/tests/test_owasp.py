"""The OWASP API Top 10 on every resource of this plugin."""

from pathlib import Path

from host.testing.owasp import *  # noqa: F403
from tests.support.databases import on_both_in_drills as conformance_database_url  # noqa: F401

SITE = Path(__file__).parent / "site"
