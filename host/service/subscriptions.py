"""Who is told of which event, compiled once at boot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from host.declaration.nodes import Declaration
from host.service.tasks import Task, subscriber_name


@dataclass(frozen=True, slots=True)
class Inside:
    """A subscriber that is called in the transaction."""

    plugin: str
    call: str  # the key of its function in `Runtime.calls`


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The subscribers of one event."""

    inside: tuple[Inside, ...] = ()
    later: tuple[Task, ...] = ()  # carried out by jobs after the commit


NOBODY: Final = Subscriptions()


def compile_subscriptions(
    declaration: Declaration, tasks: Mapping[str, Task], settings: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Subscriptions]:
    """The subscribers of each event by its name. A webhook whose address is not set is none."""
    found: dict[str, Subscriptions] = {}
    for event, subscribers in declaration.subscribers.items():
        inside = tuple(
            Inside(it.plugin, f"{it.plugin}:{it.call}") for it in subscribers if it.when == "in_transaction"
        )
        later = tuple(
            tasks[subscriber_name(event, it)]
            for it in subscribers
            if it.when == "after_commit"
            and (it.webhook is None or settings.get(it.plugin, {}).get(it.webhook.url))
        )
        found[event] = Subscriptions(inside, later)
    return found
