"""The records of a file, whatever its format: each with its line and its values under the schema's names.

A record that cannot be read carries the reason; reading goes on behind it. A file that cannot be read any further raises
Malformed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from host.errors import FieldError, Invalid
from host.transfer.cells import NotACell, read_cell
from host.transfer.columns import Columns, Target
from host.transfer.pieces import LONGEST_RECORD, Malformed, Read, documents, lines
from host.transfer.report import MOST_ERRORS

ImportFormat = Literal["csv", "ndjson", "mongo"]
FORMATS: Final = ("csv", "ndjson", "mongo")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file. `identity` holds key values that only look the row up; `error` says why it cannot be read."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    identity: dict[str, Any] = field(default_factory=dict)
    error: Invalid | None = None


def read_records(read: Read, file_format: ImportFormat, columns: Columns) -> Iterator[Record]:
    """Every record of a source."""
    readers: Mapping[str, Callable[[Read, Columns], Iterator[Record]]] = {
        "csv": read_csv, "ndjson": read_ndjson, "mongo": read_mongo,
    }  # fmt: skip
    return readers[file_format](read, columns)


# --- JSON -------------------------------------------------------------------------------------------------------------


def read_ndjson(read: Read, columns: Columns) -> Iterator[Record]:
    """One JSON object a line; empty lines are passed over."""
    for number, line in enumerate(lines(read), 1):
        if line.strip():
            yield _checked(number, lambda line=line: _sorted_out(_parsed(line), columns, _as_is))  # type: ignore[misc]


def read_mongo(read: Read, columns: Columns) -> Iterator[Record]:
    """MongoDB Extended JSON, one document a line, pretty-printed, or as one array."""
    from host.transfer.mongo import parse_document, wire_value  # bson is wanted for this format only

    def convert(value: Any, target: Target) -> Any:
        try:
            return wire_value(value, target.field, target.form)
        except RecursionError:
            raise NotACell("a value that is not nested so deep") from None

    for number, text in documents(read):
        yield _checked(number, lambda text=text: _sorted_out(parse_document(text), columns, convert))  # type: ignore[misc]


def _as_is(value: Any, target: Target) -> Any:
    return value


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError):
        raise NotACell("a JSON object") from None
    if not isinstance(found, dict):
        raise NotACell("a JSON object")
    return found


def _checked(line: int, make: Callable[[], tuple[dict[str, Any], dict[str, Any]]]) -> Record:
    try:
        values, identity = make()
    except NotACell as error:
        return Record(line, error=Invalid.at("", "malformed", f"expected {error}"))
    except Invalid as error:
        return Record(line, error=error)
    return Record(line, values, identity)


def _sorted_out(
    document: Mapping[str, Any], columns: Columns, convert: Callable[[Any, Target], Any]
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """The values under the schema's names, and those that only find the row. Invalid with every name and value refused."""
    values: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in document.items():
        try:
            target = columns.target(name)
            if target is not None and not (target.is_alias and target.key in document):
                (identity if target.is_identity else values)[target.key] = convert(value, target)
        except Invalid as error:
            errors += error.errors
        except NotACell as error:
            errors.append(FieldError(f"/{name}", "invalid", f"expected {error}"))
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise Invalid("the record is not valid", errors)
    return values, identity


# --- CSV --------------------------------------------------------------------------------------------------------------


class _CsvLines:
    """The decoded lines of a source for the CSV reader, which bounds how long a quoted cell can make one record."""

    def __init__(self, read: Read) -> None:
        self._lines = lines(read)
        self.number = self.size = 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.size += len(line)
        if self.size > LONGEST_RECORD:
            raise Malformed(
                self.number, f"a record may have at most {LONGEST_RECORD} bytes; is a quote missing?"
            )
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise Malformed(self.number, "the file is not UTF-8") from None


def read_csv(read: Read, columns: Columns) -> Iterator[Record]:
    """RFC 4180 with a header; the empty cell is null, or absent where the field cannot be null."""
    source = _CsvLines(read)
    csv.field_size_limit(
        max(csv.field_size_limit(), LONGEST_RECORD)
    )  # the module's own limit is for all of a process
    reader = csv.reader(source, strict=True)
    targets: list[Target | None] | None = None
    while True:
        line, source.size = source.number + 1, 0
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise Malformed(line, str(error)) from None
        if targets is None:
            targets = _header(row, columns)
        elif row:
            yield _csv_record(line, row, targets, columns)
    if targets is None:
        raise Malformed(1, "expected a header with the names of the columns")


def _header(names: list[str], columns: Columns) -> list[Target | None]:
    errors: list[FieldError] = []
    targets: list[Target | None] = []
    for name in names:
        try:
            targets.append(columns.target(name))
        except Invalid as error:
            errors += error.errors
        if len(errors) >= MOST_ERRORS:
            break
    plain = {target.key for target in targets if target is not None and not target.is_alias}
    targets = [
        None if target is not None and target.is_alias and target.key in plain else target
        for target in targets
    ]
    taken = Counter(target.key for target in targets if target is not None)
    errors += [
        FieldError(f"/{key}", "repeated", "two columns have this name")
        for key, times in taken.items()
        if times > 1
    ]
    if errors:
        raise Invalid("line 1: the header is not valid", errors)
    return targets


def _csv_record(line: int, row: list[str], targets: list[Target | None], columns: Columns) -> Record:
    if len(row) != len(targets):
        return Record(
            line, error=Invalid.at("", "malformed", f"expected {len(targets)} cells, found {len(row)}")
        )
    record = Record(line)
    errors: list[FieldError] = []
    kinds = columns.registry.kinds
    for text, target in zip(row, targets, strict=True):
        if target is None or (text == "" and not target.is_nullable):
            continue
        try:
            value = read_cell(text, target.field, kinds, target.form) if text else None
        except NotACell as error:
            errors.append(FieldError(f"/{target.key}", "invalid", f"expected {error}"))
            continue
        (record.identity if target.is_identity else record.values)[target.key] = value
    return Record(line, error=Invalid("the record is not valid", errors)) if errors else record
