"""Conformance of a site in which every construct of the language occurs."""

from pathlib import Path

from host.testing.conformance import *  # noqa: F403

SITE = Path(__file__).parent / "site"
