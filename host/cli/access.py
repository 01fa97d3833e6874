"""`hostwright access diff REV`: what the change since a revision of git opens and closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import click
import orjson

from host.access.changes import Change, changes
from host.cli.options import root_option
from host.cli.revisions import declared_at, declared_now
from host.errors import DeclarationError

ORDER = ("opened", "changed", "closed")
OPENED, FAILED = 1, 2
_HEADINGS = {
    "opened": "opened", "closed": "closed", "changed": "changed, and not proven to be only closed",
}  # fmt: skip


@click.group()
def access() -> None:
    """Ask who may do what."""


@access.command("diff")
@root_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.argument("revision")
@click.pass_context
def diff(ctx: click.Context, root: Path, form: str, revision: str) -> None:
    """Tell what the change since REVISION (a commit, branch or tag of git) opens and closes, and for whom.

    The site in its folder, committed or not, is compared with what git has of it. Every rule is evaluated over made-up actors
    and rows; what is not proven to be only closed is told as changed, with both rules. The former version is only read, its
    plugins' code is not run.

    Exit code: 0 when nothing was opened and nothing changed that could not be compared, 1 when something was, 2 when the
    comparison failed.
    """
    try:
        now, known, present = declared_now(root)
        found = changes(declared_at(root, revision, known, present), now)
    except (click.ClickException, DeclarationError) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else f"{error}"
        click.echo(f"Error: {said}", err=True)
        ctx.exit(FAILED)
    ordered = sorted(found, key=lambda it: ORDER.index(it.effect))
    if form == "json":
        click.echo(
            orjson.dumps({"changes": [it.as_dict() for it in ordered]}, option=orjson.OPT_INDENT_2).decode()
        )
    else:
        click.echo("\n".join(_lines(ordered)) or f"Nobody may do more or less than at {revision}.")
    ctx.exit(OPENED if any(it.effect != "closed" for it in found) else 0)


def _lines(found: Sequence[Change]) -> Iterator[str]:
    for effect, group in groupby(found, key=lambda it: it.effect):
        yield f"{_HEADINGS[effect]}:"
        for it in group:
            yield f"  {it.subject}  {it.what}{_whom(it)}"
            yield f"      was: {it.before}"
            yield f"      is:  {it.after}"


def _whom(change: Change) -> str:
    return f"  for {', '.join(change.who)}" if change.who else ""
