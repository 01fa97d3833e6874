"""The planned times of a cron expression in a zone, as instants. The scheduler calls it.

`declaration.schedules` has checked the expression and the zone. As Debian's cron has it: what names an hour runs once a day,
also where clocks change. A time that is left out comes when the clock has jumped, one that comes twice counts the first time.
What has `*` for the minute or the hour follows real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

# How far back the newest times are looked for, a little further each time: whoever was away for a year does not count minutes.
_SPANS: Final = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 7, 24 * 31, 24 * 366))


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is planned."""

    text: str
    zone: str = "UTC"

    def times(self, after: datetime) -> Iterator[datetime]:
        """Every planned instant after another, in UTC."""
        last = after.astimezone(UTC)
        # A wall clock shows some instants twice, and going on from the second one would lead back.
        for found in CronSim(self.text, last.astimezone(ZoneInfo(self.zone))):
            planned = found.astimezone(UTC)
            if planned > last:
                last = planned
                yield planned

    def next(self, after: datetime) -> datetime:
        """The first planned instant after another."""
        return next(self.times(after))

    def newest(self, first: datetime, until: datetime, most: int) -> list[datetime]:
        """The planned instants from one to another, both included: the newest `most` of them."""
        start = first - timedelta(seconds=1)
        for span in _SPANS:
            since = max(start, until - span)
            found = self._between(since, until)
            if since == start or len(found) >= most:
                return found[-most:]
        return self._between(start, until)[-most:]

    def _between(self, after: datetime, until: datetime) -> list[datetime]:
        found: list[datetime] = []
        for planned in self.times(after):
            if planned > until:
                break
            found.append(planned)
        return found
