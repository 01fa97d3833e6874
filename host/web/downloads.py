"""Answering with a file: conditional, by ranges, safe for browsers, and streamed when the database connection is back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import sqlalchemy as sa

from host.access import facts_of
from host.actor import ANONYMOUS, SYSTEM
from host.compiler.files import FILE
from host.compiler.models import Attribute
from host.compiler.wires import CompiledWire
from host.errors import Invalid, LinkRefused, NotFound, RangeNotSatisfiable, Unauthenticated
from host.service.context import Context
from host.service.files import Known, described
from host.service.runtime import Runtime
from host.service.variants import variant_of
from host.storage import Missing, Source
from host.storage.protocol import PIECE
from host.web.disposition import content_disposition, content_type
from host.web.etags import is_unchanged
from host.web.http import Answer, Request
from host.web.placing import placed, row_keys
from host.web.ranges import Span, asked_span

SANDBOX = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
PARAMETERS = ("variant", "download", "v", "expires", "signature")
REDIRECT_SECONDS = 60


class Body:
    """The pieces of a source, which is closed when they end or nobody wants them any more."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        return self._source.pieces

    def close(self) -> None:
        """Called by the server, whatever happened."""
        self._source.close()


@dataclass(frozen=True, eq=False)
class Download:
    """The file of one field on one wire."""

    runtime: Runtime
    wire: CompiledWire
    field: Attribute

    def answer(self, request: Request) -> Answer:
        """GET and HEAD on the file."""
        asked = _asked(request, is_image=bool(self.field.field.variants))
        path, found = self.seen(request, asked)
        try:
            known = described(self.runtime, self.wire.model, self.field.name, path, found)
            if "variant" in asked:
                known = variant_of(self.runtime, self.field, known, asked["variant"])
            return self._file(request, known, asked)
        except Missing:
            raise NotFound("the file is not there any more") from None

    # -- who may --

    def seen(self, request: Request, asked: dict[str, str]) -> tuple[str, Known | None]:
        """The file's path and what is on record of it, if the caller may see the row and the field."""
        keys = row_keys(self.runtime, self.wire, request)
        if "signature" in asked:
            with self.runtime.reading(SYSTEM, request.id) as ctx:
                path, known = self._fetched(ctx, keys, ())
            self._check_signature(keys, path, asked)
            return path, known
        if request.actor is ANONYMOUS and not is_public(self.runtime, self.wire):
            raise Unauthenticated("sign in first")
        with self.runtime.reading(request.actor, request.id) as ctx:
            return self._fetched(placed(ctx, self.wire.parents, request), keys, self.wire.parents)

    def _fetched(self, ctx: Context, keys: tuple[Any, ...], under: Any) -> tuple[str, Known | None]:
        rule = self.field.field.read
        checks = (reading_rule(self.wire), *((rule,) if rule else ()))
        found = ctx.runtime.plans.checked(self.wire.model, ctx.facts, checks, under).fetch(
            ctx.transaction.driver, keys, ctx.values
        )
        if found is None or not all(found.verdicts):
            raise NotFound(f"there is no such {self.wire.model.spoken}")
        path = found.row()[self.field.name]
        if not path:
            raise NotFound("there is no file here")
        return path, _known(ctx, path)

    def _check_signature(self, keys: tuple[Any, ...], path: str, asked: dict[str, str]) -> None:
        files = self.runtime.files
        name = f"{self.wire.model.name}.{self.field.name}"
        given = (asked.get("expires", ""), asked["signature"])
        if files is None or not files.signatures.holds(name, keys, path, *given, time.time()):
            raise LinkRefused("this link does not hold")

    # -- what is answered --

    def _file(self, request: Request, known: Known, asked: dict[str, str]) -> Answer:
        tag = f'"{known.digest[:32]}"'
        headers = [("ETag", tag), ("Cache-Control", "private, no-cache"), SANDBOX, ("Accept-Ranges", "bytes")]
        if "signature" in asked:  # pages of any origin may show what they have a link to
            headers.append(("Cross-Origin-Resource-Policy", "cross-origin"))
        if is_unchanged(request, tag):
            return Answer(304, b"", None, headers)
        said = content_disposition(known.name, known.type, is_saved="download" in asked)
        elsewhere = self.runtime.storage.link(known.path, said, known.type, REDIRECT_SECONDS)
        if elsewhere is not None:
            return Answer(302, b"", None, [("Location", elsewhere), ("Cache-Control", "no-store")])
        headers.append(("Content-Disposition", said))
        span = asked_span(request, known.size, tag) if request.method == "GET" else None
        if span is not None and span.length == 0:
            raise RangeNotSatisfiable(known.size)
        return self._streamed(request, known, span, headers)

    def _streamed(
        self, request: Request, known: Known, span: Span | None, headers: list[tuple[str, str]]
    ) -> Answer:
        media, status, length = content_type(known.type), 200, known.size
        if span is not None:
            status, length = 206, span.length
            last = span.start + span.length - 1
            headers.append(("Content-Range", f"bytes {span.start}-{last}/{known.size}"))
        headers.append(("Content-Length", str(length)))
        if request.method == "HEAD":
            return Answer(status, iter(()), media, headers)
        source = self.runtime.storage.open(known.path, span.start if span else 0, length)
        if source.size != known.size:
            source.close()
            raise Missing(known.path)
        wrapper = request.environ.get("wsgi.file_wrapper")
        if wrapper is not None and source.file is not None and span is None:
            return Answer(status, wrapper(source.file, PIECE), media, headers)
        return Answer(status, Body(source), media, headers)


def reading_rule(wire: CompiledWire) -> str:
    """The operation whose rule decides who reads a file: that of the row."""
    served = wire.declared.operations or wire.model.declared.operations
    return "get" if "get" in served or "list" not in served else "list"


def is_public(runtime: Runtime, wire: CompiledWire) -> bool:
    """Whether there may be rows that anybody sees."""
    rule: Any = reading_rule(wire)
    return runtime.policy.predicate(wire.model, rule, facts_of(ANONYMOUS)) is not False


def _asked(request: Request, *, is_image: bool) -> dict[str, str]:
    """The parameters. Invalid for others."""
    pairs = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
    known = PARAMETERS if is_image else PARAMETERS[1:]
    for name in pairs:
        if name not in known:
            raise Invalid.at(name, "unknown", "nobody declared this parameter")
    return pairs


def _known(ctx: Context, path: str) -> Known | None:
    table = ctx.table(FILE)
    statement = ctx.runtime.plans.statement(
        ("file",),
        lambda: sa.select(table.c.path, table.c.name, table.c.size, table.c.type, table.c.digest).where(
            table.c.path == sa.bindparam("path", type_=sa.String())
        ),
    )
    row = statement.run(ctx.transaction.driver, {"path": path}).fetchone()
    return Known(*row) if row is not None else None
