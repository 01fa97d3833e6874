"""A whole list as a stream of CSV or NDJSON with constant memory: one statement, read through a cursor of the database.

One statement sees one snapshot on both databases and takes no lock that a writer waits for. The connection goes back when
the stream ends, fails, or is closed because nobody reads it any more.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import StringIO
from threading import BoundedSemaphore
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode

import orjson

from host.compiler.wires import CompiledWire
from host.errors import FieldError, Invalid, Unavailable
from host.query.plans import WholePlan
from host.service.context import Context
from host.transfer.cells import OPTIONS, cell

ExportFormat = Literal["csv", "ndjson"]
FORMATS: Final = ("csv", "ndjson")
CONTENT_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson",
}  # fmt: skip
BATCH: Final = 500  # rows that are in memory at a time
PAGING: Final = ("cursor", "page", "page_size", "limit", "offset", "count", "expand")


@dataclass(frozen=True)
class ExportQuery:
    """What is exported: the list's own query, and the format."""

    format: ExportFormat
    raw: str


def parse_query(raw: str, default: ExportFormat = "csv") -> ExportQuery:
    """Take `format` out of a query string. Invalid for what only pages have; the rest is the list's to check."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    given = [value for name, value in pairs if name == "format"]
    errors = [FieldError(name, "unknown", "an export has no pages") for name, _ in pairs if name in PAGING]
    if len(given) > 1 or any(value not in FORMATS for value in given):
        errors.append(FieldError("format", "value", "expected csv or ndjson"))
    if errors:
        raise Invalid("the query is not valid", errors)
    rest = urlencode([(name, value) for name, value in pairs if name != "format"]) if given else raw
    return ExportQuery("ndjson" if "ndjson" in given else "csv" if given else default, rest)


class Export:
    """An open export: iterate over its pieces, and close it whatever happens. `slots` bounds how many are open at once."""

    def __init__(
        self, ctx: Context, wire: CompiledWire, query: ExportQuery, slots: BoundedSemaphore | None = None
    ) -> None:
        plan = ctx.runtime.plans.whole(wire, query.raw, ctx.facts, ctx.under)
        self._stack = ExitStack()
        try:
            if slots is not None:
                self._take(slots)
            connection = self._stack.enter_context(ctx.runtime.database.reading())
            rows = _rows(connection, plan, ctx, self._stack)
            self._first = next(rows, [])  # what the database refuses is told before the first byte
        except BaseException:
            self._stack.close()
            raise
        self._pieces = _pieces(plan, self._first, rows, query.format)

    def _take(self, slots: BoundedSemaphore) -> None:
        if not slots.acquire(blocking=False):
            raise Unavailable("too many exports are running; try again later")
        self._stack.callback(slots.release)

    def __iter__(self) -> Export:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:  # the end is one of them
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; harmless when repeated."""
        self._stack.close()


def _rows(connection: Any, plan: WholePlan, ctx: Context, stack: ExitStack) -> Iterator[list[dict[str, Any]]]:
    """The rows in batches, through a cursor that holds only one of them."""
    bound = plan.statement.bind({**ctx.values, **plan.asked})
    if ctx.runtime.database.dialect == "postgresql":
        stack.enter_context(connection.transaction())
        cursor = stack.enter_context(connection.cursor(name="export"))
        cursor.execute(plan.statement.sql, bound)
    else:
        cursor = connection.execute(plan.statement.sql, bound)
        stack.callback(cursor.close)
    values = {**ctx.values, **plan.asked}
    for fetched in _batches(connection, cursor):
        rows = plan.reader.build(fetched)
        for embedded in plan.embeds:
            embedded.fill(connection, rows, values)
        yield rows


def _batches(connection: Any, cursor: Any) -> Iterator[Sequence[Any]]:
    """Batches of rows. Each has the time of a statement, however slowly those before were taken."""
    renew: Callable[[], None] = getattr(connection, "renew", lambda: None)
    while True:
        renew()
        fetched = cursor.fetchmany(BATCH)
        if not fetched:
            return
        yield fetched


def _pieces(
    plan: WholePlan, first: list[dict[str, Any]], rest: Iterator[list[dict[str, Any]]], file_format: ExportFormat
) -> Iterator[bytes]:  # fmt: skip
    make: Callable[[list[dict[str, Any]]], bytes] = _ndjson
    if file_format == "csv":
        yield _csv([plan.names])
        make = partial(_cells, plan.names)
    if first:
        yield make(first)
    for rows in rest:
        yield make(rows)


def _cells(names: Sequence[str], rows: list[dict[str, Any]]) -> bytes:
    return _csv([[cell(row.get(name)) for name in names] for row in rows])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row, option=OPTIONS | orjson.OPT_APPEND_NEWLINE) for row in rows)
