"""The revisions of one owner as the files say, read without importing them or Alembic.

Boot and `/health/ready` ask this on every start, so it costs a few milliseconds. Running revisions is
`runner`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from host.migrations.errors import MigrationError


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision script."""

    id: str
    down: str | None
    message: str
    path: Path


def read_history(folder: Path) -> tuple[Revision, ...]:
    """Return the revisions from first to last. Raises MigrationError unless they are one line."""
    if not folder.is_dir():
        return ()
    found = [_read(path) for path in sorted(folder.glob("*.py")) if not path.name.startswith("__")]
    return tuple(_in_line(folder, found))


def _read(path: Path) -> Revision:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    values = dict(_assignments(tree))
    if not isinstance(values.get("revision"), str):
        raise MigrationError(f"{path} is not a revision: it has no `revision = …`")
    down = values.get("down_revision")
    if down is not None and not isinstance(down, str):
        raise MigrationError(f"{path} follows several revisions; a plugin's history is one line")
    message = (ast.get_docstring(tree) or path.stem).partition("\n")[0]
    return Revision(str(values["revision"]), down, message, path)


def _assignments(tree: ast.Module) -> Iterable[tuple[str, object]]:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
            yield target.id, value.value


def _in_line(folder: Path, found: list[Revision]) -> Iterable[Revision]:
    following: dict[str | None, Revision] = {}
    for revision in found:
        rival = following.setdefault(revision.down, revision)
        if rival is not revision:
            raise MigrationError(
                f"{rival.path.name} and {revision.path.name} in {folder} both follow"
                f" {revision.down or 'the beginning'}; set `down_revision` of one to the other's revision"
            )
    down = None
    for _each in found:
        if down not in following:
            known = {revision.id for revision in found}
            lost = next(revision for revision in found if revision.down not in known | {None})
            raise MigrationError(f"{lost.path} follows {lost.down}, which is not in its folder")
        yield following[down]
        down = following[down].id
