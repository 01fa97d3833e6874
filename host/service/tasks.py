"""What can be carried out later, compiled from the declaration: jobs, actions with `job: true`, subscribers after the commit.

Each is a `Task`; `ctx.jobs` stores what one is to do as a row of `host.job`, and `host.jobs` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import uniform
from typing import Final, Literal

from host.declaration.nodes import Action, Declaration, Field, Job, Retry, Subscriber

JOB: Final = "host.job"
LONGEST_WAIT: Final = 86_400.0
Kind = Literal["job", "action", "subscriber"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """One kind of work. `call` is the key of its function in `Runtime.calls`; None for a webhook."""

    name: str
    plugin: str
    kind: Kind
    call: str | None
    input: Field | None = None
    out: Field | None = None
    queue: str = "default"
    timeout: int = 60
    retry: Retry
    unique: bool = False
    concurrency: int | None = None
    transaction: Literal["whole", "steps"] = "whole"
    run_as: Literal["caller", "system"] = "caller"
    priority: int = 0
    keep: int = 7
    sealed: bool = False
    action: tuple[str, str] | None = None  # of an action: its resource and its name
    event: str | None = None  # of a subscriber: the event that it follows
    subscriber: Subscriber | None = None

    def wait(self, failures: int) -> float:
        """Seconds until it is tried again after so many failures; part of them is left to chance."""
        wait = min(self.retry.wait * float(self.retry.backoff) ** (failures - 1), LONGEST_WAIT)
        spread = wait * self.retry.jitter / 100
        return max(0.0, wait + uniform(-spread, spread))  # nothing has to be unpredictable


def compile_tasks(declaration: Declaration) -> Mapping[str, Task]:
    """Every task of a linked declaration by name: `ledger.send_reminder`, `ledger.contact.export`, `<event>><plugin>.<call>`."""
    found = [*_jobs(declaration), *_actions(declaration), *_subscribers(declaration)]
    return {task.name: task for task in found}


def _jobs(declaration: Declaration) -> Iterator[Task]:
    for name, job in declaration.jobs.items():
        yield _of_job(name, job)


def _of_job(name: str, job: Job) -> Task:
    plugin = name.partition(".")[0]
    return Task(
        name=name, plugin=plugin, kind="job", call=f"{plugin}:{job.call}", input=job.input, out=job.out,
        queue=job.queue, timeout=job.timeout, retry=job.retry, unique=job.unique, concurrency=job.concurrency,
        transaction=job.transaction, run_as=job.run_as, priority=job.priority, keep=job.keep, sealed=job.sealed,
    )  # fmt: skip


def _actions(declaration: Declaration) -> Iterator[Task]:
    for name, resource in declaration.resources.items():
        for key, action in resource.actions.items():
            if action.job:
                yield _of_action(name, key, action)


def _of_action(resource: str, name: str, action: Action) -> Task:
    plugin = resource.partition(".")[0]
    return Task(
        name=f"{resource}.{name}", plugin=plugin, kind="action", call=f"{plugin}:{action.call}", input=action.input,
        out=action.out, retry=Retry(), transaction="steps" if action.detached else "whole", action=(resource, name),
    )  # fmt: skip


def _subscribers(declaration: Declaration) -> Iterator[Task]:
    for event, subscribers in declaration.subscribers.items():
        for it in subscribers:
            if it.when == "after_commit":
                yield _of_subscriber(event, it)


def _of_subscriber(event: str, it: Subscriber) -> Task:
    return Task(
        name=subscriber_name(event, it), plugin=it.plugin, kind="subscriber",
        call=f"{it.plugin}:{it.call}" if it.call else None, queue=it.queue, timeout=it.timeout, retry=it.retry,
        transaction="steps" if it.webhook is not None else it.transaction, run_as="system", event=event, subscriber=it,
    )  # fmt: skip


def subscriber_name(event: str, it: Subscriber) -> str:
    """The name of the task that carries an event to a subscriber; a webhook goes by the setting of its address."""
    what = it.call if it.webhook is None else f"webhook.{it.webhook.url}"
    return f"{event}>{it.plugin}.{what}"
