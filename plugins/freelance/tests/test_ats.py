"""The rules of the score, without a server."""

from pathlib import Path

from host.discovery.importing import import_module

ats = import_module("host_plugins.freelance", Path(__file__).parents[1], "ats")


def test_common_words_are_no_keywords() -> None:
    assert ats.keywords("We are looking for Python and C++ with Python") == ["python", "c++", "looking"]
