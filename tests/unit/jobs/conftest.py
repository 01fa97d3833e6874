"""The site that most tests of jobs share; modules with a site of their own say so by fixtures of the same names."""

from __future__ import annotations

import pytest

from tests.support.sites import Core, Declare, declare
from tests.unit.jobs.world import CODE, YAML, reset

__all__ = ["declare"]


@pytest.fixture(scope="module")
def whole(declare: Declare) -> Core:
    """The site of a module."""
    return declare(YAML, CODE)


@pytest.fixture
def core(whole: Core) -> Core:
    """The site without what other tests have left."""
    return reset(whole)
