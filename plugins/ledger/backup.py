"""Everybody's ledger as a file: one JSON object a line, read in pieces after the request has begun to be answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from host import Context, Stream

KINDS = ("event", "contact", "transaction", "transaction_image", "reminder", "setting")
PIECE = 500


def download(ctx: Context, data: dict[str, Any]) -> Stream:
    """The file; each line says of which kind its row is."""
    name = f"ledger-{ctx.now:%Y%m%d-%H%M%S}.ndjson"
    headers = (("Content-Disposition", f'attachment; filename="{name}"'),)
    return Stream(_lines(ctx), "application/x-ndjson", headers)


def _lines(ctx: Context) -> Iterator[bytes]:
    """The rows in the order of their keys; each piece is a short reading transaction of its own."""
    for kind in KINDS:
        last: Any = None
        while True:
            with ctx.reading() as reading:
                table = reading.table(kind)
                behind = [] if last is None else [table.c.id > last]
                rows = reading.as_system().records(kind).find_all(*behind, sort="id", limit=PIECE)
            yield b"".join(_line(kind, row) for row in rows)
            if len(rows) < PIECE:
                break
            last = rows[-1]["id"]


def _line(kind: str, row: dict[str, Any]) -> bytes:
    return json.dumps({"kind": kind, **row}, default=str, ensure_ascii=False).encode() + b"\n"
