"""Sites for the tests of jobs."""

from tests.support.sites import declare

__all__ = ["declare"]
