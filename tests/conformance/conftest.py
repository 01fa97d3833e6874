"""Conformance runs on both databases."""

from tests.support.databases import on_both as conformance_database_url

__all__ = ["conformance_database_url"]
