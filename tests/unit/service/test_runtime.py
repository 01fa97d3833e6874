"""The running parts of an app."""

from __future__ import annotations

from host.service.runtime import Runtime


def test_runtime_is_never_shown_whole() -> None:
    """Python itself shows the owner of a signal handler, and what that holds: it would take seconds."""
    assert Runtime.__repr__ is object.__repr__
