"""What the reloader looks at."""

from __future__ import annotations

from pathlib import Path

import pytest
from watchfiles import Change

from host.cli.develop import DeclarationFilter


@pytest.mark.parametrize("root", ["/srv/site", "/var/www/tests/site"])
def test_reload_follows_declarations_and_code(root: str) -> None:
    watched = DeclarationFilter(Path(root))
    names = ["resources.yaml", "plugins/demo/resources/item.yaml", "plugins/demo/actions.py"]
    assert all(watched(Change.modified, f"{root}/{name}") for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "var/hostwright.db",
        "plugins/demo/migrations/0001_make.py",
        "plugins/demo/tests/test_demo.py",
        "notes.md",
    ],
)
def test_reload_ignores_what_is_not_served(name: str) -> None:
    assert not DeclarationFilter(Path("/srv/site"))(Change.modified, f"/srv/site/{name}")
