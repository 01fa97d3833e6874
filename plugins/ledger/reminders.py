"""Reminders: what happens to one that is changed, and how the due ones are mailed."""

from __future__ import annotations

from host import Change


def prepare(ctx: object, change: Change) -> None:
    """One that is set for another time waits again."""
    if change.operation == "update" and "scheduled_at" in change.values:
        change.values.update(status="pending", sent_at=None, reason=None)
