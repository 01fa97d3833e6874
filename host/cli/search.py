"""`hostwright search`: the index of words, made anew where rows were written past the service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from host.cli.data import opened_data
from host.cli.options import root_option
from host.compiler.models import Model
from host.compiler.registry import Registry
from host.declaration.problems import did_you_mean


@click.group()
def search() -> None:
    """See to the index of words that full-text search looks into."""


@search.command()
@root_option
@click.argument("resource", required=False)
@click.option(
    "--check", "is_dry", is_flag=True, help="Count what differs, change nothing, and fail if anything does."
)
def rebuild(root: Path, resource: str | None, *, is_dry: bool) -> None:
    """Keep the words of every row anew, of one RESOURCE or of all; each in a transaction of its own."""
    from host.migrations import search as words  # knows rows without their rules

    count = 0
    with opened_data(root) as (runtime, _):
        for model in _chosen(runtime.registry, resource):
            assert model.search is not None  # those are chosen
            table, source = model.search.table.name, model.search.source
            with runtime.database.writing() as connection:
                found = (words.differing if is_dry else words.rebuild)(connection, table, source)
            click.echo(f"{model.name}: {found} rows {'differ' if is_dry else 'indexed'}")
            count += found
    if is_dry and count:
        raise SystemExit(1)


def _chosen(registry: Registry, resource: str | None) -> Sequence[Model]:
    searched = {name: model for name, model in registry.models.items() if model.search is not None}
    if resource is None:
        return tuple(searched.values())
    if resource not in searched:
        message = f'no resource "{resource}" keeps words{did_you_mean(resource, searched)}'
        raise click.BadParameter(message, param_hint="RESOURCE")
    return (searched[resource],)
