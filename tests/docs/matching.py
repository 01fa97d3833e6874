"""Whether a program printed what a document says: `…` stands for anything, and white space does not count."""

from __future__ import annotations

import re

_SPACE = re.compile(r"\s+")


def matches(expected: str, printed: str) -> bool:
    """Whether the whole print-out is as expected."""
    return re.fullmatch(_pattern(expected), _bare(printed), re.DOTALL) is not None


def occurs(expected: str, printed: str) -> bool:
    """Whether the print-out has this in it."""
    return re.search(_pattern(expected), _bare(printed), re.DOTALL) is not None


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def _pattern(expected: str) -> str:
    return ".*?".join(re.escape(part) for part in _bare(expected).split("…"))
