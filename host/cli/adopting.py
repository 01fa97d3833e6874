"""`hostwright db adopt`: take over the tables of another system, which goes on using them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from host.cli.migrating import open_site
from host.cli.options import root_option
from host.migrations.adoption import Adoption, Finding
from host.migrations.adoption import adopt as run_adoption

HEADINGS: Final = {
    "compatible": "As good as declared:",
    "additive": "Missing, and added beside the rows:",
    "incompatible": "In the way:",
}


@click.command()
@root_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is told.")
@click.argument("plugin")
def adopt(root: Path, plugin: str, dry_run: bool, form: str) -> None:
    """Take over the tables of PLUGIN that another system made. Exit code 1, and nothing changed, if it cannot be done."""
    with open_site(root) as site:
        others = tuple(
            Finding("incompatible", "host_account", text, "remove that account, or the row")
            for text in site.accounts_without_row()
        )
        found = run_adoption(site.database, site.owners, plugin, dry_run=dry_run, others=others)
        given = site.give_rows() if found.outcome in ("adopted", "adopted before") else 0
    if form == "json":
        click.echo(json.dumps({**asdict(found), "rows_given": given}, indent=2))
    else:
        for line in _lines(found, given):
            click.echo(line)
    if found.outcome == "refused":
        raise SystemExit(1)


def _lines(found: Adoption, given: int) -> Iterator[str]:
    for kind, heading in HEADINGS.items():
        chosen = [each for each in found.findings if each.kind == kind]
        if chosen:
            yield heading
        for each in chosen:
            yield from _finding(each)
    if given:
        yield f"{given} {'account has' if given == 1 else 'accounts have'} got a row in the user table."
    yield {
        "adopted": f"Adopted: the tables of {found.plugin} are at {found.revision or 'no revision'}.",
        "adopted before": f"Nothing to do: {found.plugin} was adopted before.",
        "would adopt": f"Nothing is in the way of {found.plugin}; nothing has been changed.",
        "refused": f"Refused: {_number(len(found.refusals))} in the way of {found.plugin}; nothing has been changed.",
    }[found.outcome]


def _number(count: int) -> str:
    return "1 difference is" if count == 1 else f"{count} differences are"


def _finding(each: Finding) -> Iterator[str]:
    yield f"  {each.table}: {each.what}" + (f" ({each.advice})" if each.advice else "")
    if each.offending is not None:
        number = each.offending.count
        yield f"    {number} {'case contradicts' if number == 1 else 'cases contradict'} it:"
        yield from (f"      {text}" for text in each.offending.examples)
        if number > len(each.offending.examples):
            yield f"      and {number - len(each.offending.examples)} more"
