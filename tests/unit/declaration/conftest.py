"""A site in a folder, loaded as the command line and the application do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from host.declaration.calls import resolve_calls
from host.declaration.nodes import Declaration
from host.discovery import load
from host.errors import DeclarationError
from host.fields.kinds import kinds, vocabulary

SITE = "grammar: 1\nsite: {name: Test, plugins: [demo]}\n"
MANIFEST = "name: demo\nversion: 0.1.0\n"
Files = Mapping[str, str | bytes]


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Declaration]:
    """Write files below a folder and link the site there; a lone text is the plugin `demo`."""

    def run(
        files: Files | str, environ: Mapping[str, str] | None = None, *, with_code: bool = False
    ) -> Declaration:
        given = {"plugins/demo/resources.yaml": files} if isinstance(files, str) else files
        for name, text in {"resources.yaml": SITE, "plugins/demo/plugin.yaml": MANIFEST, **given}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = load(tmp_path, vocabulary(kinds()), environ or {})
        if with_code:
            resolve_calls(found.declaration, found.import_function)
        return found.declaration

    return run


@pytest.fixture
def problems(declare: Callable[..., Declaration]) -> Callable[..., list[str]]:
    """The problems of a declaration, as the command line prints them."""

    def run(
        files: Files | str, environ: Mapping[str, str] | None = None, *, with_code: bool = False
    ) -> list[str]:
        try:
            declare(files, environ, with_code=with_code)
        except DeclarationError as error:
            return [f"{problem.code} {problem}" for problem in error.problems]
        return []

    return run
