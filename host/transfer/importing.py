"""Importing a file into a resource, under the rules of single writes: all of it or, in batches, up to where it stopped.

Rows are stored many at once where nothing speaks against it, and one by one, each behind a savepoint, where plugin code
runs or a batch was refused: that is how every line gets its own error. Once there is an error nothing will be stored any
more; reading goes on only to find the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from host.actor import Actor
from host.compiler.wires import CompiledWire
from host.errors import HostError, Invalid, PreconditionRequired
from host.service import writing
from host.service.batches import BatchRefused, create_batch, is_plain
from host.service.context import Context
from host.service.parents import check_below, given
from host.service.runtime import Runtime
from host.transfer.columns import Columns
from host.transfer.existing import find_existing
from host.transfer.pieces import Malformed, Read
from host.transfer.records import ImportFormat, Record, read_records
from host.transfer.report import Report

CHUNK = 500  # rows stored by one statement
OnDuplicate = Literal["error", "skip", "update"]
Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How a file is imported. `batch` commits after so many rows; without it the whole file is one transaction."""

    format: ImportFormat
    on_duplicate: OnDuplicate = "error"
    dry_run: bool = False
    renames: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None
    skip: int = 0  # records at the beginning, stored by an earlier run
    place: Callable[[Context], Context] = lambda ctx: ctx  # puts each transaction below the parents of a path


class _Undone(Exception):
    """Rolls the transaction back; the report says why."""


def import_file(
    runtime: Runtime, actor: Actor, wire: CompiledWire, read: Read, options: ImportOptions, *,
    request_id: str = "", progress: Callable[[Report], None] = lambda report: None,
) -> Report:  # fmt: skip
    """Import a source and say what became of it. Raises nothing for what is wrong with the file: the report has it."""
    columns = Columns(
        runtime.registry,
        wire,
        actor.is_system,
        options.renames,
        options.format == "mongo",
        options.on_duplicate != "error",
    )
    report = Report(dry_run=options.dry_run, ignored=columns.ignored)
    records = islice(read_records(read, options.format, columns), options.skip, None)
    size = options.batch if not options.dry_run else None
    is_going = True
    while is_going:
        before = (report.created, report.updated, report.skipped)
        try:
            with runtime.writing(actor, request_id, wire.model.plugin) as ctx:
                run = _Run(options.place(ctx), wire, columns, options, report, progress)
                is_going = run.store(records if size is None else islice(records, size)) and size is not None
                if report.errors or options.dry_run:
                    raise _Undone
        except _Undone:
            if not options.dry_run:
                report.created, report.updated, report.skipped = before
            break
        report.committed = report.rows
    return report


@dataclass
class _Run:
    """One transaction of an import."""

    ctx: Context
    wire: CompiledWire
    columns: Columns
    options: ImportOptions
    report: Report
    progress: Callable[[Report], None]

    def store(self, records: Iterable[Record]) -> bool:
        """Store the records chunk by chunk; False when there were none or reading cannot go on."""
        started = self.report.rows
        try:
            for chunk in _chunks(records):
                self._store_chunk(chunk)
                self.progress(self.report)
                if self.report.is_full:
                    return False
        except Malformed as error:
            self.report.add(error.line, error)
            return False
        except Invalid as error:  # of the header
            self.report.add(1, error)
            return False
        return self.report.rows > started

    def _store_chunk(self, chunk: list[Record]) -> None:
        self.report.rows += len(chunk)
        loaded = [(record, values) for record in chunk if (values := self._loaded(record)) is not None]
        if self.options.on_duplicate == "error" and not self.report.errors and self._store_together(loaded):
            self.report.created += len(loaded)
            return
        for record, values in loaded:
            if self.report.is_full:
                return
            try:
                with self.ctx.transaction.savepoint():
                    self._store_one(record, values)
            except HostError as error:
                self.report.add(record.line, error, self.wire.pointer)

    def _loaded(self, record: Record) -> Values | None:
        """The native values of a record, or None when they are not valid."""
        error = record.error
        if error is None:
            try:
                return self.columns.registry.schemas.load(self.columns.schema, record.values)
            except Invalid as found:
                error = found
        self.report.add(record.line, error)
        return None

    def _store_together(self, loaded: list[tuple[Record, Values]]) -> bool:
        links = self.wire.model.links
        rows = [
            {name: value for name, value in values.items() if value or name not in links} | given(self.ctx)
            for _, values in loaded
        ]  # a new row has no links that an empty list could take away
        if self._leads_further or not is_plain(self.ctx, self.wire.model, rows):
            return False
        try:
            with self.ctx.transaction.savepoint():
                create_batch(self.ctx, self.wire.model, rows)
        except BatchRefused:
            return False
        return True

    @property
    def _leads_further(self) -> bool:
        """Whether rows have to be compared with parents beyond their own relations, one by one."""
        return any(len(parent.steps) > 1 for parent in self.ctx.under)

    def _store_one(self, record: Record, values: Values) -> None:
        model = self.wire.model
        values = {**values, **given(self.ctx)}
        keys = self._existing(record, values)
        if keys is None:
            stored = writing.store(self.ctx, model, values)
            check_below(self.ctx, model, stored)
            if model.deleted is None or values.get(model.deleted.name) is None:
                writing.read_back(self.ctx, model, stored, "create", frozenset(values))
            self.report.created += 1
        elif self.options.on_duplicate == "skip":
            self.report.skipped += 1
        else:
            writing.update(self.ctx, model, keys, self._changes(values), match=self._match(record))
            check_below(self.ctx, model, keys)
            self.report.updated += 1

    def _existing(self, record: Record, values: Values) -> tuple[Any, ...] | None:
        if self.options.on_duplicate == "error":
            return None
        return find_existing(self.ctx, self.wire, values, record.identity)

    def _match(self, record: Record) -> writing.Match | None:
        """The comparison of versions, for accounts and resources whose updates have to name the version that was read."""
        version = self.wire.model.version
        versioned = self.wire.model.declared.mixins.versioned
        if version is None or versioned is None or not versioned.required or self.ctx.actor.is_system:
            return None
        read = record.identity.get(self.wire.outer.get(version.name, version.name))
        if read is None:
            raise PreconditionRequired("an update has to name the version that was read")
        return lambda found: str(found.version) == str(read)

    def _changes(self, values: Values) -> Values:
        """What an update may set of a record: not the key, nor the version, nor what is set once."""
        model = self.wire.model
        fixed = {key.name for key in model.keys} | (
            {model.version.name} if model.version is not None else set()
        )
        if not self.ctx.actor.is_system:
            fixed |= {
                attribute.name for attribute in model.attributes.values() if attribute.field.set == "once"
            }
        return {name: value for name, value in values.items() if name not in fixed}


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
