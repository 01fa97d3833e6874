"""`hostwright events`: the outbox read, replayed and cleared, its dead deliveries, and webhooks, by the operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from host.actor import SYSTEM
from host.cli.accounts import cells, instant
from host.cli.data import opened_data
from host.cli.options import root_option
from host.cli.webhooks import counted, enable, secret, webhooks
from host.errors import NotFound
from host.service.context import Context
from host.service.outbox import EVENT
from host.service.pruning import prune as remove_old
from host.service.replaying import Wanted, replay, subscriber_task
from host.service.runtime import Runtime
from host.service.tasks import JOB

AT_ONCE = 5000  # events that one transaction removes
SHOWN = ("id", "position", "at", "name", "key", "actor")
DEAD = ("id", "name", "event", "key", "finished_at", "error")


@click.group()
def events() -> None:
    """Read and replay events; see which deliveries are dead, and how webhooks fare."""


@events.command("list")
@root_option
@click.option("--name", help="This event, e.g. freelance.invoice.sent.")
@click.option("--resource", help="Of this resource, e.g. freelance.invoice.")
@click.option("--key", help="About the row with this key.")
@click.option(
    "--behind", type=click.IntRange(0), metavar="POSITION", help="Behind this position, in its order."
)
@click.option("--since", type=click.DateTime(), help="Since this instant, in UTC.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, with what has changed.")
def list_events(
    root: Path, behind: int | None, since: datetime | None, limit: int, *, as_json: bool, **equal: str | None
) -> None:  # fmt: skip
    """Show events, the newest last."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table(EVENT)
        conditions = [table.c.at >= since.replace(tzinfo=UTC)] if since is not None else []
        conditions += [table.c.position > behind] if behind is not None else []
        order = "-id" if behind is None else "position"
        rows = ctx.records(EVENT).find_all(*conditions, sort=order, limit=limit, **wanted)
    rows = rows[::-1] if behind is None else rows
    for row in rows if as_json else ():
        click.echo(json.dumps(row, default=str))
    for line in () if as_json else cells(SHOWN, rows):
        click.echo(line)


@events.command()
@root_option
@click.argument("number", type=click.IntRange(1))
def show(root: Path, number: int) -> None:
    """Show event NUMBER whole, and what has become of its deliveries."""
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        row = ctx.records(EVENT).find(number)
        if row is None:
            raise NotFound(f"there is no event {number}")
        jobs = ctx.records(JOB).find_all(*_deliveries(ctx), order_number=number)
    told = [
        {name: job[name] for name in ("id", "name", "state", "attempt", "result", "error")} for job in jobs
    ]
    click.echo(json.dumps({**row, "deliveries": told}, indent=2, default=str))


@events.command("replay")
@root_option
@click.argument("subscriber")
@click.option("--behind", type=click.IntRange(0), metavar="POSITION", help="The events behind this position.")
@click.option("--since", type=click.DateTime(), help="The events since this instant, in UTC.")
@click.option("--event", "number", type=click.IntRange(1), metavar="NUMBER", help="This event alone.")
def replay_events(
    root: Path, subscriber: str, behind: int | None, since: datetime | None, number: int | None
) -> None:
    """Carry events to SUBSCRIBER once more, e.g. 'freelance.invoice.sent>freelance.events.notify'."""
    if behind is None and since is None and number is None:
        raise click.UsageError("say which events: --behind, --since or --event")
    wanted = Wanted(behind, since.replace(tzinfo=UTC) if since is not None else None, number=number)
    with opened_data(root) as (runtime, _):
        count = replay(runtime, subscriber_task(runtime, subscriber), wanted)
    click.echo(f"{counted(count)} will be carried to {subscriber} again")


@events.command()
@root_option
@click.option("--days", type=click.IntRange(1), help="Keep so many days; by default HOSTWRIGHT_EVENT_DAYS.")
def prune(root: Path, days: int | None) -> None:
    """Remove events that are older than they have to be kept, and that nobody waits for."""
    with opened_data(root) as (runtime, settings):
        kept = days or settings.events.days
        removed = _removed(runtime, datetime.now(UTC) - timedelta(days=kept))
    click.echo(f"removed {removed} events older than {kept} days")


@events.command()
@root_option
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def dead(root: Path, limit: int, *, as_json: bool) -> None:
    """List the deliveries that were given up; `hostwright jobs retry` tries one again."""
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        jobs = ctx.records(JOB).find_all(*_deliveries(ctx), sort="-id", limit=limit, state="dead")
        rows = [_dead(ctx, job) for job in reversed(jobs)]
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=instant))
        return
    for line in cells(DEAD, rows):
        click.echo(line)


for command in (webhooks, enable, secret):
    events.add_command(command)


def _deliveries(ctx: Context) -> list[Any]:
    """The conditions of jobs that carry events."""
    return [ctx.table(JOB).c.order_key.is_not(None), ctx.table(JOB).c.name.contains(">")]


def _dead(ctx: Context, job: Mapping[str, Any]) -> dict[str, Any]:
    number = int((job["data"] or {}).get("event", 0))
    event = ctx.records(EVENT).find(number)
    error = job["error"] or {}
    said = f"{error.get('code')}: {error.get('detail')}"
    return {**job, "event": number, "key": event["key"] if event is not None else None, "error": said}


def _removed(runtime: Runtime, before: datetime) -> int:
    total = 0
    while True:
        with runtime.writing(SYSTEM, plugin="host") as ctx:
            removed = remove_old(runtime, ctx.transaction.connection, before, AT_ONCE)
        total += removed
        if removed < AT_ONCE:
            return total
