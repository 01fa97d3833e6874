"""`hostwright explain --as USER OPERATION RESOURCE/ID`: the verdict on a row and the clause that decided it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import sqlalchemy as sa

from host.access import Operation, declared_rule, facts_of
from host.access.explaining import Explanation, explain
from host.actor import ANONYMOUS, Actor
from host.application import App, assemble
from host.auth.lookup import actor_named
from host.cli.options import root_option
from host.compiler.models import Model
from host.declaration.nodes import AnyOf
from host.declaration.problems import did_you_mean
from host.settings import read_settings


@click.command("explain")
@root_option
@click.option(
    "--as", "username", help="Who asks: e-mail, username or id of an account; nobody when left out."
)
@click.argument("operation")
@click.argument("row")
def explain_command(root: Path, username: str | None, operation: str, row: str) -> None:
    """Explain why an account may, or may not, do OPERATION (or an action) to ROW, e.g. `get freelance.invoice/65f0…`."""
    app = assemble(read_settings(root, is_embedded=(root / "var").is_dir()))
    name, _, key = row.partition("/")
    model = _model(app, name)
    rule = _rule(model, operation)
    with app.runtime.reading(ANONYMOUS) as ctx:
        actor = actor_named(ctx, username) if username else ANONYMOUS
        reader = app.runtime.context(actor, ctx.work)
        where = [
            column == value for column, value in zip(_key_columns(model), _key(app, model, key), strict=True)
        ]
        connection = ctx.transaction.connection
        found = explain(connection, app.runtime.policy, model, rule, facts_of(actor), where, reader.values)
    if found is None:
        raise click.ClickException(f"there is no {model.noun} with the key {key!r}")
    _print(found, operation, row, username, actor)


def _model(app: App, name: str) -> Model:
    models = app.runtime.registry.models
    found = models.get(name) or next((model for model in models.values() if model.noun == name), None)
    if found is None:
        raise click.ClickException(f"there is no resource {name!r}{did_you_mean(name, models)}")
    return found


def _rule(model: Model, operation: str) -> AnyOf:
    if operation in get_args(Operation):
        return declared_rule(model.declared.access, operation)  # type: ignore[arg-type]  # just compared
    action = model.declared.actions.get(operation)
    if action is None:
        known = [*get_args(Operation), *model.declared.actions]
        raise click.ClickException(
            f"{model.noun} has no operation {operation!r}{did_you_mean(operation, known)}"
        )
    return action.access


def _key_columns(model: Model) -> list[sa.Column[Any]]:
    return [key.column for key in model.keys if key.column is not None]


def _key(app: App, model: Model, text: str) -> list[Any]:
    parts = text.split("/")
    if len(parts) != len(model.keys):
        raise click.ClickException(f"write the key as {'/'.join(key.name for key in model.keys)}")
    try:
        return [
            app.runtime.registry.kinds[key.field.type].parse(part, key.field)
            for key, part in zip(model.keys, parts, strict=True)
        ]
    except ValueError as error:
        raise click.ClickException(f"the key has to be {error}") from None


def _print(found: Explanation, operation: str, row: str, username: str | None, actor: Actor) -> None:
    who = username or "nobody"
    click.echo(f"{operation} {row} as {who}: {'allowed' if found.is_allowed else 'denied'}")
    if found.deciding is not None:
        click.echo(f"decided by: {found.deciding.clause.text}")
    for verdict in found.verdicts:
        mark = "holds" if verdict.holds else "fails"
        doc = f"  # {verdict.clause.doc}" if verdict.clause.doc else ""
        click.echo(f"  {mark}  {'  ' * verdict.clause.depth}{verdict.clause.text}{doc}")
    if not found.verdicts:
        click.echo("  no rule is declared for this operation: it is closed")
    if actor.roles:
        click.echo(f"roles: {', '.join(sorted(actor.roles))}")
