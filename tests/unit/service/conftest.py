"""Sites for the tests of the core."""

from tests.support.sites import declare

__all__ = ["declare"]
