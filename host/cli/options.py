"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

root_option = click.option(
    "--root",
    envvar="HOSTWRIGHT_ROOT",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder of the site, where resources.yaml lies.",
)
