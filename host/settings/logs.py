"""What the operator decides about the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The log. What is not said differs: a server logs every request as JSON, the embedded run what is wrong as text."""

    form: Literal["json", "text"] | None = setting(None, "LOG_FORMAT")
    level: Literal["debug", "info", "warning", "error"] | None = setting(None, "LOG_LEVEL")
