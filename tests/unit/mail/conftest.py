"""Sites for the tests of mail."""

from tests.support.sites import declare

__all__ = ["declare"]
