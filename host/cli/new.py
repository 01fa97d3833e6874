"""`hostwright new plugin NAME` and `hostwright new site NAME`: the files to begin with, from the templates beside this module."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

import click
import yaml

from host.cli.options import root_option
from host.discovery.loading import SITE_FILE

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@click.group()
def new() -> None:
    """Make the files of a new plugin or site."""


@new.command()
@click.argument("name")
@root_option
def plugin(name: str, root: Path) -> None:
    """Make plugins/NAME and enable it in resources.yaml."""
    _check_name(name)
    site = root / SITE_FILE
    if not site.is_file():
        raise click.ClickException(f"there is no {SITE_FILE} in {root}: run this in the folder of a site")
    folder = root / "plugins" / name
    if folder.exists():
        raise click.ClickException(f"{folder} exists already")
    enabled = with_plugin(site.read_text(), name)
    _write("plugin", folder, name)
    site.write_text(enabled)
    click.echo(
        f"Made {folder} and enabled it. Next: edit {folder / 'resources.yaml'}, then `hostwright run`."
    )


@new.command()
@click.argument("name")
def site(name: str) -> None:
    """Make a folder NAME with a site in it."""
    _check_name(name)
    folder = Path(name)
    if folder.exists():
        raise click.ClickException(f"{folder} exists already")
    _write("site", folder, name)
    click.echo(f"Made {folder}. Next: `cd {folder}`, `hostwright new plugin inventory`, `hostwright run`.")


def _check_name(name: str) -> None:
    if NAME.fullmatch(name) is None or name in ("host", "site"):
        raise click.ClickException(
            f"{name!r} is no name: lower-case letters, digits and _, beginning with a letter"
        )


def _write(template: str, folder: Path, name: str) -> None:
    """Copy a template; `$name`, `$noun` and `$title` are replaced in texts and paths."""
    words = {"name": name, "noun": "item", "title": name.replace("_", " ").capitalize()}
    for source in sorted((TEMPLATES / template).rglob("*.txt")):
        relative = Template(str(source.relative_to(TEMPLATES / template))).substitute(words)
        target = folder / relative.removesuffix(".txt")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(source.read_text()).substitute(words))


def with_plugin(text: str, name: str) -> str:
    """The root file with one more plugin in `site.plugins`, everything else untouched. ClickException where it cannot be."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    site_node = _value(document, "site")
    plugins = _value(site_node, "plugins")
    if isinstance(plugins, yaml.SequenceNode):
        if name in [item.value for item in plugins.value]:
            return text
        return _with_item(text, plugins, name)
    if isinstance(site_node, yaml.MappingNode) and site_node.flow_style:
        at = site_node.end_mark.index - 1
        return f"{text[:at]}, plugins: [{name}]{text[at:]}"
    raise click.ClickException(f"write `plugins: [{name}]` under `site` in {SITE_FILE}")


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _with_item(text: str, plugins: yaml.SequenceNode, name: str) -> str:
    if plugins.flow_style:
        at = plugins.end_mark.index - 1
        return f"{text[:at]}{', ' if plugins.value else ''}{name}{text[at:]}"
    last = plugins.value[-1]
    indent = " " * plugins.start_mark.column
    at = last.end_mark.index
    return f"{text[:at]}\n{indent}- {name}{text[at:]}"
