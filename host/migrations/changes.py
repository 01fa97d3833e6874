"""One change of a table, in words, as a statement of a revision script and with the rows it endangers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.migrations.calls import Call
from host.migrations.hazards import Hazard


@dataclass(frozen=True)
class Change:
    """One step.

    `code` is a statement of the script; with `batch` it stands inside a batch over that table, with
    `only` it runs on one database.
    """

    table: str
    summary: str
    code: Call | None
    batch: bool = False
    hazard: Hazard | None = None
    only: Literal["", "sqlite", "postgresql"] = ""
