"""`hostwright schema`: the JSON Schema of the language, with the names of what is installed here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from host.cli.options import root_option
from host.declaration.schema import json_schema
from host.discovery.locations import locations
from host.fields.kinds import kinds


@click.command()
@root_option
def schema(root: Path) -> None:
    """Print the JSON Schema of the language, for editors.

    Name it in a comment at the top of a file, as `# yaml-language-server: $schema=schema.json`.
    """
    plugins = {location.name for location in locations(root.resolve()) if location.fault is None}
    click.echo(json.dumps(json_schema(kinds(), plugins), indent=2, ensure_ascii=False))
