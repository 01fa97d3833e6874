"""The OWASP API Top 10 on a site in which every construct of the language occurs."""

from pathlib import Path

from host.testing.owasp import *  # noqa: F403

SITE = Path(__file__).parents[1] / "conformance" / "site"
