"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from host.settings import Settings

root_option = click.option(
    "--root",
    envvar="HOSTWRIGHT_ROOT",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder of the site, where resources.yaml lies.",
)

only_option = click.option(
    "--only",
    metavar="PLUGIN",
    envvar="HOSTWRIGHT_ONLY",
    default="",
    help="Serve one plugin alone, with its own answers on the shared paths.",
)


def settings_without_secret(root: Path) -> Settings:
    """The settings of commands that sign nothing: the secret that a server needs is not asked for."""
    from host.settings import read_settings  # which commands that only read declarations do without

    given = {"HOSTWRIGHT_SECRET": "signs nothing".ljust(32), **os.environ}
    return read_settings(root, given, is_embedded="HOSTWRIGHT_DATABASE_URL" not in given)
