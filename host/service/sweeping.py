"""Clearing away files that no row has: what broke off, what was replaced, what the database removed by itself.

Only files whose names the host gave are ever removed; what another system put into the storage is its own. A file is left
alone while it is young: the row that it was stored for may not be committed yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.compiler.files import FILE
from host.compiler.models import Model
from host.errors import ConfigurationError
from host.service.context import Context
from host.service.files import HOST, VARIANT
from host.service.runtime import Runtime
from host.storage import Item, Missing
from host.storage.paths import is_own

BATCH: Final = 500


@dataclass
class Swept:
    """What a sweep removed, or would remove: paths by reason; and rows whose file is not there."""

    broken_off: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)  # on record, but no row has them
    orphaned: list[str] = field(default_factory=list)  # not on record
    missing: list[tuple[str, str]] = field(default_factory=list)  # field and path


@dataclass(frozen=True, eq=False)
class Sweeper:
    """One sweep over the storage of an app. `is_dry` removes nothing; `is_forced` also where nothing at all is on record."""

    runtime: Runtime
    before: datetime
    is_dry: bool = False
    is_forced: bool = False

    @classmethod
    def of(
        cls, runtime: Runtime, now: datetime, grace: int, *, is_dry: bool = False, is_forced: bool = False
    ) -> Sweeper:
        """A sweep of what is older than so many seconds."""
        return cls(runtime, now - timedelta(seconds=grace), is_dry, is_forced)

    def sweep(self) -> Swept:
        """Everything, in the order in which one thing leaves another behind. ConfigurationError for a wrong database."""
        if not (self.is_dry or self.is_forced):
            self._check_database()
        found = Swept()
        found.broken_off += self._broken_off()
        found.forgotten += self._forgotten()
        found.orphaned += self._orphaned()
        found.missing += self._missing()
        return found

    def _check_database(self) -> None:
        """Beside an empty database every file looks as if nobody wanted it."""
        with self.runtime.reading(SYSTEM, plugin=HOST) as ctx:
            recorded = ctx.execute(sa.select(ctx.table(FILE).c.path).limit(1)).first()
        if recorded is None and any(map(self._is_candidate, self.runtime.storage.items())):
            raise ConfigurationError(
                "there are files, and this database knows of none: is it the right one? `--force` removes them all"
            )

    def _broken_off(self) -> Iterator[str]:
        for item in list(self.runtime.storage.drafts()):
            if item.changed < self.before:
                if not self.is_dry:
                    self.runtime.storage.drop_draft(item)
                yield item.path

    def _forgotten(self) -> Iterator[str]:
        for model, name in file_columns(self.runtime):
            with self.runtime.reading(SYSTEM, plugin=HOST) as ctx:
                paths = [path for path in _unattached(ctx, model, name, self.before) if is_own(path)]
            for path in paths:
                if not self.is_dry:
                    self._forget(path, with_variants=bool(model.attributes[name].field.variants))
                yield path

    def _forget(self, path: str, *, with_variants: bool) -> None:
        with self.runtime.writing(SYSTEM, plugin=HOST) as ctx:
            table = ctx.table(FILE)
            ctx.execute(table.delete().where(table.c.path == path))
        if self.runtime.files is not None:
            self.runtime.files.drop(path, with_variants=with_variants)

    def _orphaned(self) -> Iterator[str]:
        old = (item for item in self.runtime.storage.items() if self._is_candidate(item))
        while batch := [item.path for item in islice(old, BATCH)]:
            bases = {path.partition(VARIANT)[0] for path in batch}
            kept = self._kept(sorted(bases))
            for path in batch:
                if path.partition(VARIANT)[0] not in kept:
                    if not self.is_dry:
                        self.runtime.storage.delete(path)
                    yield path

    def _is_candidate(self, item: Item) -> bool:
        return item.changed < self.before and is_own(item.path)

    def _kept(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that are on record, or that a row has although they are not."""
        with self.runtime.reading(SYSTEM, plugin=HOST) as ctx:
            recorded = ctx.table(FILE).c.path
            found = {row[0] for row in ctx.execute(sa.select(recorded).where(recorded.in_(paths)))}
            rest = [path for path in paths if path not in found]
            for model, name in file_columns(self.runtime) if rest else ():
                column = _column(model, name)
                found |= {row[0] for row in ctx.execute(sa.select(column).where(column.in_(rest)))}
        return found

    def _missing(self) -> Iterator[tuple[str, str]]:
        for model, name in file_columns(self.runtime):
            for path in self._paths(model, name):
                try:
                    self.runtime.storage.size(path)
                except Missing:
                    yield f"{model.name}.{name}", path

    def _paths(self, model: Model, name: str) -> Iterable[str]:
        """Every path of a column, a batch at a time so that no statement stays open."""
        column, last = _column(model, name), ""
        while True:
            wanted = sa.select(column).where(column > last).distinct().order_by(column).limit(BATCH)
            with self.runtime.reading(SYSTEM, plugin=HOST) as ctx:
                batch = [row[0] for row in ctx.execute(wanted)]
            yield from batch
            if len(batch) < BATCH:
                return
            last = batch[-1]


def file_columns(runtime: Runtime) -> list[tuple[Model, str]]:
    """Every file field of every resource."""
    return [(model, name) for model in runtime.registry.models.values() for name in model.files]


def _column(model: Model, name: str) -> Any:
    return model.attributes[name].column


def _unattached(ctx: Context, model: Model, name: str, before: datetime) -> list[str]:
    """Paths on record for a field that no row has any more."""
    table, column = ctx.table(FILE), _column(model, name)
    has_row = sa.exists().where(column == table.c.path)
    wanted = sa.select(table.c.path).where(
        table.c.resource == model.name, table.c.field == name, table.c.created_at < before, ~has_row
    )
    return [row[0] for row in ctx.execute(wanted)]
