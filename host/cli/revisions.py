"""A site as it was at a revision of git: its declarations in a temporary folder, read without running anybody's code."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from host.declaration.nodes import Declaration
from host.declaration.problems import Problems
from host.discovery import Found, discover, link_found
from host.discovery.hooks import make_hooks
from host.discovery.locations import in_site
from host.errors import HostError
from host.fields.kinds import FieldKind, Kinds, kinds, vocabulary

_READ: Final = (".yaml", ".yml")


def declared_now(root: Path) -> tuple[Declaration, Kinds, Found]:
    """The site as it is, with the field types that its plugins register."""
    problems = Problems()
    found = discover(root, problems)
    known = kinds(*_field_types(found))
    return link_found(found, problems, vocabulary(known), os.environ).declaration, known, found


def declared_at(root: Path, revision: str, known: Kinds, present: Found) -> Declaration:
    """The site as it was; what lies outside of its folder is as it is now. ClickException when git does not have it."""
    with _folder_at(root, revision) as folder:
        elsewhere = [it for it in present.installed if it.folder is None or not _is_below(it.folder, root)]
        problems = Problems()
        found = discover(folder, problems, [*in_site(folder), *elsewhere])
        return link_found(found, problems, vocabulary(known), os.environ).declaration


def _field_types(found: Found) -> list[FieldKind]:
    try:
        return [
            kind for kinds_of in make_hooks(found.enabled).hook.register_field_types() for kind in kinds_of
        ]
    except HostError:
        raise
    except Exception as error:  # whatever a plugin's module raises while it is imported
        raise click.ClickException(f"the plugins' code cannot be imported: {error}") from error


def _is_below(folder: Path, root: Path) -> bool:
    return folder.resolve().is_relative_to(root.resolve())


@contextmanager
def _folder_at(root: Path, revision: str) -> Iterator[Path]:
    """The YAML of the site's folder at a revision, below a temporary folder."""
    if revision.startswith("-"):
        raise click.ClickException(f"{revision} is no revision")
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    # Below the top of the work tree git archives this folder alone, with paths that begin here.
    packed = io.BytesIO(_git(root, "archive", "--format=tar", commit))
    with (
        TemporaryDirectory(prefix="hostwright-") as folder,
        tarfile.open(fileobj=packed, mode="r:") as archive,
    ):
        wanted = [it for it in archive if it.isfile() and it.name.endswith(_READ)]
        archive.extractall(folder, wanted, filter="data")
        yield Path(folder)


def _git(root: Path, *arguments: str) -> bytes:
    try:
        ran = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise click.ClickException("git is not installed") from None
    if ran.returncode != 0:
        said = ran.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"git does not know {arguments[-1].partition('^')[0]!r}"
        raise click.ClickException(f"the former version cannot be read: {reason}")
    return ran.stdout
