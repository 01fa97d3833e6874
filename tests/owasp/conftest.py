"""The OWASP suite runs on SQLite, and on PostgreSQL among the long tests: what it asks differs by door, hardly by database."""

from tests.support.databases import on_both_in_drills as conformance_database_url

__all__ = ["conformance_database_url"]
