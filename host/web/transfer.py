"""Export and import over HTTP: `GET <collection>/export` and `POST <collection>/import`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from host.compiler.wires import CompiledWire
from host.errors import BadRequest, FieldError, Invalid, UnsupportedMediaType
from host.service.runtime import Runtime
from host.transfer.exporting import CONTENT_TYPES, Export, parse_query
from host.transfer.importing import ImportOptions, import_file
from host.transfer.records import FORMATS
from host.web.bodies import IN_MEMORY, body_pieces
from host.web.collection import collection_operation, serves
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation
from host.web.placing import placed

MOST_EXPORTS: Final = 8  # open at once in a process; each holds a connection for as long as its reader takes
MEDIA: Final = {
    "text/csv": "csv", "application/csv": "csv", "application/x-ndjson": "ndjson", "application/ndjson": "ndjson",
    "application/jsonl": "ndjson", "application/x-jsonlines": "ndjson", "application/json": "mongo",
}  # fmt: skip
DUPLICATES: Final = ("error", "skip", "update")


@dataclass(frozen=True, eq=False)
class TransferOperations:
    """The handlers of one wire. `slots` bounds the exports of the whole app, `limit` the body of an import."""

    runtime: Runtime
    wire: CompiledWire
    slots: BoundedSemaphore
    limit: int

    def operations(self) -> Iterator[Operation]:
        """Export where the wire lists, import where it creates."""
        rows = self.wire.model.spoken_plural
        if serves(self.wire, "export", "list"):
            yield collection_operation(
                self.runtime, self.wire, "export", "list", "GET", self.export_rows, summary=f"Export {rows}",
                doc="The whole list as a stream, under the list's rule, filters and order.",
            )  # fmt: skip
        if serves(self.wire, "import", "create"):
            yield collection_operation(
                self.runtime, self.wire, "import", "create", "POST", self.import_rows, summary=f"Import {rows}",
                body_limit=self.limit, doc="One transaction, all or nothing, under the rules of single writes.",
            )  # fmt: skip

    def export_rows(self, request: Request) -> Answer:
        """GET: CSV, or NDJSON with `format=ndjson`."""
        query = parse_query(request.query)
        ctx = placed(self.runtime.context(request.actor, request_id=request.id), self.wire.parents, request)
        name = f"{self.wire.path.rstrip('/').rpartition('/')[2]}.{query.format}"
        headers = [("Content-Disposition", f'attachment; filename="{name}"'), ("Cache-Control", "no-store")]
        return Answer(200, Export(ctx, self.wire, query, self.slots), CONTENT_TYPES[query.format], headers)

    def import_rows(self, request: Request) -> Answer:
        """POST: a file of CSV, NDJSON or what mongoexport writes. With errors nothing is stored."""
        options = replace(_options(request), place=lambda ctx: placed(ctx, self.wire.parents, request))
        with _received(request) as file:
            report = import_file(
                self.runtime, request.actor, self.wire, file.read, options, request_id=request.id
            )
        if report.errors and not report.dry_run:
            error = Invalid("nothing was imported: the file has errors")
            error.extra = report.as_dict()
            raise error
        return json_answer(report.as_dict())


def _options(request: Request) -> ImportOptions:
    """The query string and the media type of an import. Invalid with every problem."""
    given = dict(parse_qsl(request.query, keep_blank_values=True))
    allowed = {"format": FORMATS, "dry_run": ("true", "false"), "on_duplicate": DUPLICATES}
    errors = [
        FieldError(name, "unknown", f"takes {', '.join(allowed)}") for name in given if name not in allowed
    ]
    for name, values in allowed.items():
        if name in given and given[name] not in values:
            errors.append(FieldError(name, "value", f"expected {', '.join(values)}"))
    if errors:
        raise Invalid("the query is not valid", errors)
    chosen: Any = {
        "format": given.get("format") or _format(request),
        "on_duplicate": given.get("on_duplicate", "error"),
    }
    return ImportOptions(**chosen, dry_run=given.get("dry_run") == "true")


def _format(request: Request) -> str:
    media = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if media not in MEDIA:
        raise UnsupportedMediaType("send text/csv or application/x-ndjson, or name the format in the query")
    return MEDIA[media]


def _received(request: Request) -> IO[bytes]:
    """The body, on disk beyond its first megabyte: the sender may be slow, and the transaction must not wait for it."""
    if request.header("content-encoding") not in (None, "identity"):
        raise UnsupportedMediaType("send the body without a content encoding")
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller closes it
    try:
        received = sum(file.write(piece) for piece in body_pieces(request))
        if received == 0:
            raise BadRequest("the body is empty: send the file")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
