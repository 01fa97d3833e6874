"""What every resource of every plugin has to do, for the resources of this one."""

from pathlib import Path

from host.testing.conformance import *  # noqa: F403
from tests.support.databases import on_both_in_drills as conformance_database_url  # noqa: F401

SITE = Path(__file__).parent / "site"
