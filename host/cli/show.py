"""`hostwright show RESOURCE` and `hostwright routes`: what the declarations have become."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from host.access import Operation as Kind
from host.access import declared_rule
from host.application import describe, load_site
from host.cli.options import only_option, root_option
from host.compiler.models import Model
from host.compiler.registry import Registry
from host.declaration.background import events_of
from host.declaration.nodes import Name
from host.declaration.problems import did_you_mean
from host.service.tasks import subscriber_name
from host.web.operations import Operation

OPERATIONS: tuple[Kind, ...] = ("list", "get", "create", "update", "delete")


@click.command()
@click.argument("resource")
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(resource: str, root: Path, as_json: bool) -> None:
    """Show what a resource has become: fields and columns, rules, paths, the table."""
    registry = load_site(root.resolve(), os.environ).registry
    model = _model(registry, resource)
    facts = _facts(registry, model)
    if as_json:
        click.echo(json.dumps(facts, indent=2, default=str))
        return
    click.echo(f"{model.name}  {model.declared.doc or ''}".rstrip())
    for title, rows in facts.items():
        if isinstance(rows, dict) and rows:
            click.echo(f"\n{title}")
            width = max((len(key) for key in rows), default=0)
            for key, value in rows.items():
                click.echo(f"  {key:<{width}}  {value}".rstrip())
    click.echo(f"\ntable\n{facts['table']}")


def _model(registry: Registry, name: str) -> Model:
    found = registry.models.get(name) or next(
        (it for it in registry.models.values() if it.noun == name), None
    )
    if found is None:
        raise click.ClickException(f"there is no resource {name!r}{did_you_mean(name, registry.models)}")
    return found


def _facts(registry: Registry, model: Model) -> dict[str, Any]:
    fields = {
        item.name: " ".join(filter(None, [
            item.field.type if item.relation is None else f"→ {item.relation.to}",
            "key" if item.is_key else "", "" if item.is_nullable else "not null",
            f"set: {item.field.set}" if item.field.set else "",
            "computed" if item.column is None else f"column {item.column.name}",
        ]))
        for item in model.attributes.values()
    }  # fmt: skip
    rules = {name: " or ".join(declared_rule(model.declared.access, name)) or "nobody" for name in OPERATIONS}
    wires = {wire.name: wire.path for wire in registry.wires[model.name]}
    table = str(CreateTable(model.table).compile(dialect=sqlite.dialect())).strip()
    events = _events(registry, model)
    return {"fields": fields, "rules": rules, "wires": wires, "events": events, "table": table}


def _events(registry: Registry, model: Model) -> dict[str, str]:
    """Each event with its data, and who is told of it."""
    found = {}
    for word in events_of(model.name, model.declared):
        fields = model.declared.events.get(Name(word), {})
        data = ", ".join(f"{name}: {it.type}" for name, it in fields.items())
        told = registry.declaration.subscribers.get(f"{model.name}.{word}", ())
        tells = [f"→ {subscriber_name('', it).lstrip('>')} ({it.when.replace('_', ' ')})" for it in told]
        found[word] = " ".join([*([f"{{{data}}}"] if data else []), *tells])
    return found


@click.command()
@root_option
@only_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def routes(root: Path, only: str, as_json: bool) -> None:
    """List every path and method with its operation and rule."""
    found = sorted(
        describe(root.resolve(), os.environ, only).operations, key=lambda item: (item.path, item.method)
    )
    if as_json:
        click.echo(json.dumps([_route(item) for item in found], indent=2))
        return
    width = max((len(item.path) for item in found), default=0)
    for item in found:
        click.echo(f"{item.method:<6} {item.path:<{width}}  {item.id}  [{' or '.join(item.access) or '-'}]")


def _route(item: Operation) -> dict[str, Any]:
    return {
        "method": item.method, "path": item.path, "paths": list(item.all_paths()), "operation": item.id,
        "plugin": item.plugin, "access": list(item.access), "public": item.is_public,
    }  # fmt: skip
