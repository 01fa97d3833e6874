"""Sites for the tests of the web layer."""

from tests.support.sites import declare

__all__ = ["declare"]
