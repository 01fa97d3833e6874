"""How often: `10/minute`, as settings, declarations and code say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
RATE: Final = r"([1-9][0-9]{0,8})/(?:([1-9][0-9]{0,3}) )?(second|minute|hour|day)s?"
FORM: Final = "a rate, as 10/minute or 100/15 minutes"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times in so many seconds, whichever seconds these are: the window moves."""

    times: int
    seconds: int

    def __str__(self) -> str:
        unit, size = next((name, size) for name, size in reversed(_UNITS.items()) if self.seconds % size == 0)
        several = self.seconds // size
        return f"{self.times}/{unit}" if several == 1 else f"{self.times}/{several} {unit}s"


def parse_rate(text: str) -> Rate:
    """The rate that a text says. Raises ValueError with what a rate looks like."""
    match = re.fullmatch(RATE, text.strip())
    if match is None:
        raise ValueError(FORM)
    return Rate(int(match[1]), int(match[2] or 1) * _UNITS[match[3]])
