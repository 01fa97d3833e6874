"""The OWASP suite runs on both databases, as the conformance suite does."""

from tests.conformance.conftest import conformance_database_url

__all__ = ["conformance_database_url"]
