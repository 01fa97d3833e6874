"""What the events of one resource tell of a write: everything that has changed and what rules read, never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host.compiler.models import Model
from host.declaration.background import WRITES

Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """What the events of one resource tell, decided once."""

    names: Mapping[str, str]  # of the events of writes, by their last word
    secrets: frozenset[str]
    ruled: tuple[str, ...]  # what rules read

    @classmethod
    def of(cls, model: Model, ruled: frozenset[str]) -> Telling:
        """As the resource declares it."""
        attributes = model.attributes
        secrets = frozenset(name for name, it in attributes.items() if it.field.secret)
        read = tuple(name for name, it in attributes.items() if name in ruled - secrets and it.is_stored)
        return cls({word: f"{model.name}.{word}" for word in WRITES}, secrets, read)

    def told(self, changes: Changes, before: Mapping[str, Any] | None = None) -> Changes:
        """The changes without secrets; of a stored row, `before`, with what rules read of it."""
        if not self.secrets.isdisjoint(changes):
            changes = {name: pair for name, pair in changes.items() if name not in self.secrets}
        if before is None:
            return changes
        kept = {name: [before[name]] * 2 for name in self.ruled if name not in changes and name in before}
        return {**changes, **kept} if kept else changes
