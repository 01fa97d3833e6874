"""One event, as subscribers get it and as followers of the outbox read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
UNKNOWN: Final = (None, None)


@dataclass(frozen=True, slots=True)
class Event:
    """What has happened to a row. Values are Python's own, as `ctx.records` gives them.

    `changes` holds `[before, after]` of what has changed and of every field that a rule reads, changed or not; of a row that
    was made or removed, a field that is not there was null. `id` is None in the transaction that the event belongs to.
    """

    name: str  # freelance.invoice.sent
    resource: str
    keys: tuple[Any, ...]
    at: datetime
    key: str = ""  # as the row's path has it
    actor: str | None = None  # the id of the account that asked
    request_id: str | None = None
    trace: str | None = None
    changes: Mapping[str, Sequence[Any]] = field(default_factory=lambda: NOTHING)
    data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    entry: str | None = None  # the key in the resource's own log, where it has one
    id: int | None = None
    position: int | None = None  # None until it has its place in the order of commits

    @property
    def word(self) -> str:
        """What happened: `created`, `updated`, `deleted`, or the word that the resource declares."""
        return self.name.rpartition(".")[2]

    def before(self, name: str) -> Any:
        """The value that a field had."""
        return self.changes.get(name, UNKNOWN)[0]

    def after(self, name: str) -> Any:
        """The value that a field has got."""
        return self.changes.get(name, UNKNOWN)[1]

    def has_changed(self, name: str) -> bool:
        """Whether a field has another value than before."""
        before, after = self.changes.get(name, UNKNOWN)
        return bool(before != after)
