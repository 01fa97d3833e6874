"""What the operator decides about the audit log. Sizes in characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """What is noted, how long it is kept, and how much of a value."""

    notes: Literal["all", "events", "off"] = setting("all", "AUDIT")  # `events`: everything but writes
    days: int = setting(365, "AUDIT_DAYS")
    longest: int = setting(500, "AUDIT_VALUE_LIMIT")
