"""`hostwright events webhooks`, `enable` and `secret`: how webhooks fare, one that was disabled, a secret for a new one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from secrets import token_bytes
from typing import Any

import click

from host.actor import SYSTEM
from host.cli.accounts import instant
from host.cli.data import opened_data
from host.cli.options import root_option
from host.jobs import streaks
from host.jobs.webhooks import PREFIX
from host.service.replaying import Wanted, replay, subscriber_task
from host.service.runtime import Runtime

SECRET_BYTES = 32


@click.command()
@root_option
def webhooks(root: Path) -> None:
    """List the declared webhooks, and how their last requests went."""
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        fares = {row["name"]: row for row in ctx.records(streaks.WEBHOOK).find_all(limit=100_000)}
        for name in sorted(key for key, task in runtime.tasks.items() if task.kind == "subscriber"):
            if runtime.tasks[name].call is None:
                click.echo(f"{name}  {_fares(runtime, name, fares.get(name))}")


@click.command()
@root_option
@click.argument("webhook")
@click.option("--replay", "replays", is_flag=True, help="Send what was missed since it was disabled, too.")
def enable(root: Path, webhook: str, *, replays: bool) -> None:
    """Let WEBHOOK, which was disabled, be sent events again."""
    with opened_data(root) as (runtime, _):
        task = subscriber_task(runtime, webhook)
        missed = streaks.enable(runtime, task.name)
        click.echo(f"{webhook} is enabled")
        if replays and missed is not None:
            count = replay(runtime, task, Wanted(first=missed))
            click.echo(f"{counted(count)} are sent again" if count != 1 else "1 event is sent again")


@click.command()
def secret() -> None:
    """Make a secret for a webhook's signatures."""
    click.echo(PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode())


def _fares(runtime: Runtime, name: str, row: Mapping[str, Any] | None) -> str:
    task = runtime.tasks[name]
    subscriber = task.subscriber
    if subscriber is not None and subscriber.webhook is not None:
        setting = subscriber.webhook.url
        if not runtime.settings.get(task.plugin, {}).get(setting):
            return f"is sent nothing: the setting {setting} is empty"
    if row is not None and row["disabled_at"] is not None:
        return f"disabled since {instant(row['disabled_at'])}: {row['reason']}"
    if row is not None and row["failures"]:
        return f"has failed {row['failures']} times since {instant(row['failed_at'])}: {row['reason']}"
    return "is sent events"


def counted(count: int) -> str:
    """So many events, in words."""
    return "1 event" if count == 1 else f"{count} events"
