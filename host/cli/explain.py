"""`hostwright explain --as USER OPERATION RESOURCE/ID`: whether it is allowed, the clause that decided it and what it saw."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from host.access import facts_of
from host.access.explaining import explain
from host.access.questions import Question, question
from host.access.reports import lines, report
from host.actor import ANONYMOUS, Actor
from host.application import App, assemble
from host.auth.lookup import actor_named
from host.cli.options import root_option
from host.errors import RequestError
from host.service.context import Context
from host.settings import read_settings

NOBODY = "nobody"


@click.command("explain")
@root_option
@click.option(
    "--as", "username", default=NOBODY, show_default=True,
    help="Who asks: e-mail, username or id of an account, or `nobody`, who is not signed in.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.argument("operation")
@click.argument("subject")
def explain_command(root: Path, username: str, form: str, operation: str, subject: str) -> None:
    """Explain why an account may, or may not, do OPERATION to SUBJECT.

    OPERATION is list, get, create, update, delete, another generated operation (export, import, bulk_update …) or the name of
    an action; SUBJECT is a row (`freelance.invoice/65f0…`) or a resource, about which not everything is decided without a
    row. `call` is about an endpoint: `call freelance.generate`.
    """
    app = assemble(read_settings(root, is_embedded=(root / "var").is_dir()))
    try:
        asked = question(app.runtime.registry, operation, subject)
        with app.runtime.reading(ANONYMOUS) as ctx:
            told = _explained(app, ctx, asked, username)
    except RequestError as error:
        raise click.ClickException(error.detail) from None
    click.echo(
        orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() if form == "json" else "\n".join(lines(told))
    )


def _explained(app: App, ctx: Context, asked: Question, username: str) -> dict[str, object]:
    actor: Actor = ANONYMOUS if username == NOBODY else actor_named(ctx, username)
    values = app.runtime.context(actor, ctx.work).values
    found = explain(ctx.transaction.connection, app.runtime.policy, asked, facts_of(actor), values)
    if found is None:
        raise click.ClickException(f"there is no {asked.subject}")
    return report(found, asked, username, sorted(actor.roles))
