"""Plugins meet the host at its public face only, and each other not at all; generated revisions are exempt."""

import ast
from collections.abc import Iterator
from pathlib import Path


def test_plugins_import_the_face_only(checkout: Path) -> None:
    sources = [
        path for path in checkout.glob("plugins/**/*.py") if not {"tests", "migrations"} & set(path.parts)
    ]
    strangers = {f"{path.relative_to(checkout)}: {name}" for path in sources for name in inner_modules(path)}
    assert strangers == set()


def inner_modules(source: Path) -> Iterator[str]:
    """Yield the modules of the host below its face, and other plugins, that a file imports."""
    for node in ast.walk(ast.parse(source.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        yield from (name for name in names if name.startswith(("host.", "plugins", "host_plugins")))
