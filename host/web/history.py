"""`GET <row>/history`: what was done to a row, for whoever may read the row. A resource asks for it in `operations`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from host.access import declared_rule
from host.actor import Actor
from host.compiler.expressions import Facts
from host.compiler.wires import CompiledWire
from host.declaration.paths import below
from host.errors import FieldError, Invalid
from host.service import reading
from host.service.history import history
from host.service.runtime import Runtime
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation, operation_id, path_attributes
from host.web.placing import placed, row_keys, telling_hidden

MOST_ENTRIES: Final = 200
STANDARD_SIZE: Final = 50


@dataclass(frozen=True, eq=False)
class HistoryOperations:
    """The history of one wire's rows."""

    runtime: Runtime
    wire: CompiledWire

    def operations(self) -> Iterator[Operation]:
        """The one operation, where the wire has it."""
        wire, model = self.wire, self.wire.model
        if "history" not in (wire.declared.operations or model.declared.operations):
            return
        path, *others = (below(item, "history") for item in wire.places.items)
        yield Operation(
            id=operation_id("history", model.name, wire), method="GET", path=path, kind="history", plugin=model.plugin,
            handler=telling_hidden(self.runtime, wire, wire.parents, self.answer, is_item=True), wire=wire,
            summary=f"What was done to the {model.spoken}", access=declared_rule(model.declared.access, "get"),
            doc="Newest first. A change tells only those fields that you may read; it is kept as long as the audit log.",
            paths=tuple(others), slash=wire.declared.slash == "both", errors=wire.declared.errors,
            is_public=self.runtime.policy.predicate(model, "get", Facts()) is not False,
            parameters=path_attributes(wire.parents, wire), details={"document": _document()},
        )  # fmt: skip

    def answer(self, request: Request) -> Answer:
        """GET: the newest entries, or those behind a cursor."""
        size, cursor = _asked(request.query)
        with self._reading(request.actor, request) as begun:
            ctx = placed(begun, self.wire.parents, request)
            keys = row_keys(self.runtime, self.wire, request)
            shown = reading.get_row(ctx, self.wire, keys).row
            told = history(ctx, self.wire, keys, shown, size, cursor)
        headers = []
        if told.next is not None:
            headers.append(("Link", f'<{request.path}?page_size={size}&cursor={told.next}>; rel="next"'))
        return json_answer({"items": told.entries, "next": told.next}, headers=headers)

    def _reading(self, actor: Actor, request: Request) -> Any:
        return self.runtime.reading(actor, request.id, self.wire.model.plugin)


def _asked(query: str) -> tuple[int, str | None]:
    """How many entries, and behind which. Invalid with every problem."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    errors = [
        FieldError(name, "unknown", "takes page_size, cursor")
        for name in given
        if name not in ("page_size", "cursor")
    ]
    size = given.get("page_size", str(STANDARD_SIZE))
    if not (size.isascii() and size.isdecimal() and len(size) < 5 and 1 <= int(size) <= MOST_ENTRIES):
        errors.append(FieldError("page_size", "range", f"a whole number from 1 to {MOST_ENTRIES}"))
    if errors:
        raise Invalid("the query is not valid", errors)
    return int(size), given.get("cursor")


def _document() -> dict[str, Any]:
    """What OpenAPI says of it."""
    change = {
        "type": "object", "required": ["field", "before", "after"],
        "properties": {
            "field": {"type": "string", "description": "as the row names it"},
            "before": {"description": "in the form of the standard wire; null for files and linked rows"},
            "after": {"description": "likewise"},
        },
    }  # fmt: skip
    entry = {
        "type": "object", "required": ["at", "actor", "operation", "changes"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "actor": {"type": ["string", "integer", "null"], "description": "the account, as the row names its owner"},
            "operation": {"type": "string", "enum": ["create", "update", "delete"]},
            "changes": {"type": "array", "items": change},
        },
    }  # fmt: skip
    page = {
        "type": "object", "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": entry, "maxItems": MOST_ENTRIES},
            "next": {"type": ["string", "null"], "description": "the cursor of the page behind"},
        },
    }  # fmt: skip
    size = {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES, "default": STANDARD_SIZE}
    return {
        "parameters": [
            {"name": "page_size", "in": "query", "schema": size, "description": "How many entries."},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "The `next` of a page."},
        ],
        "responses": {"200": {"description": "The entries.", "content": {"application/json": {"schema": page}}}},
    }  # fmt: skip
