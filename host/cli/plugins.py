"""`hostwright <plugin>`: commands about one plugin of the site, made of what it declares."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click


def plugin_group(name: str, arguments: Sequence[str] = ()) -> click.Group | None:
    """The commands of a plugin that the site in `--root` enables; None where it enables none of this name."""
    from host.declaration.problems import Problems
    from host.discovery.loading import SITE_FILE, discover

    root = _root(arguments)
    if not (root / SITE_FILE).is_file():
        return None
    if name not in {it.name for it in discover(root, Problems()).enabled}:
        return None
    group = click.Group(name, help=f"Commands about the plugin {name}.")
    group.add_command(_rebuilding(name))
    return group


def _root(arguments: Sequence[str]) -> Path:
    """The folder of the site, before the command that takes the option is known."""
    for at, argument in enumerate(arguments):
        if argument == "--root" and at + 1 < len(arguments):
            return Path(arguments[at + 1])
        if argument.startswith("--root="):
            return Path(argument.partition("=")[2])
    return Path(os.environ.get("HOSTWRIGHT_ROOT", "."))


def _rebuilding(plugin: str) -> click.Command:
    from host.cli.data import opened_data
    from host.cli.logs import check_option, owner_option, rebuild_all
    from host.cli.options import root_option

    @click.command("rebuild-projections")
    @root_option
    @check_option
    @owner_option
    def rebuild_projections(root: Path, check: bool, owner: str | None) -> None:
        """Make all rows anew that are made of events."""
        with opened_data(root) as (runtime, _):
            rebuild_all(runtime, plugin, check=check, owner=owner)

    return rebuild_projections
