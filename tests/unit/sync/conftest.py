"""Sites for tests of sync."""

from tests.support.sites import declare

__all__ = ["declare"]
