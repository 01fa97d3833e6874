"""The generated operations of a wire: list, get, create, update and delete, from request to answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from host.access import declared_rule, facts_of
from host.compiler.expressions import Facts
from host.compiler.models import Model
from host.compiler.wires import CompiledWire
from host.declaration.nodes import WireOperation
from host.service import reading, writing
from host.service.context import Context
from host.service.reading import Shown
from host.service.runtime import Runtime
from host.web.etags import etag, is_unchanged, match_of
from host.web.http import JSON, JSON_OPTIONS, Answer, Request, json_answer
from host.web.lists import enveloped, page_headers
from host.web.operations import Handler, Operation, Repeats, operation_id, path_attributes
from host.web.placing import filled, placed, row_keys, telling_hidden
from host.web.row_forms import form_limit, taking_forms
from host.web.updates import load_patch, load_replacement

STANDARD_METHODS = {"create": ("POST",), "update": ("PATCH", "PUT"), "delete": ("DELETE",)}


@dataclass(frozen=True, eq=False)
class ResourceOperations:
    """The handlers of one wire."""

    runtime: Runtime
    wire: CompiledWire

    def operations(self) -> Iterator[Operation]:
        """One operation for each method that the wire serves."""
        rows, item = self.wire.places.collections, self.wire.places.items
        wanted = self.wire.declared.operations or self.wire.model.declared.operations
        if "list" in wanted:
            yield self._operation("list", "GET", rows, self.list_rows)
        if "get" in wanted:
            yield self._operation("get", "GET", item, self.get)
        if "create" in wanted:
            for method in self.wire.create.methods or STANDARD_METHODS["create"]:
                yield self._operation("create", method, rows, self.create, self.wire.create.status)
        if "update" in wanted:
            for method in self.wire.update.methods or STANDARD_METHODS["update"]:
                yield self._operation("update", method, item, self._updating(method), self.wire.update.status)
        if "delete" in wanted:
            for method in self.wire.delete.methods or STANDARD_METHODS["delete"]:
                yield self._operation("delete", method, item, self.delete, self.wire.delete.status)

    def _operation(
        self, kind: Any, method: str, paths: tuple[str, ...], handler: Handler, status: int | None = 200
    ) -> Operation:
        wire, model = self.wire, self.wire.model
        verb = self._verb(kind, method)
        handler = taking_forms(self.runtime, wire, kind, handler)
        is_item = paths is wire.places.items
        return Operation(
            id=operation_id(verb, model.name, wire), method=method, path=paths[0], kind=kind, plugin=model.plugin,
            handler=telling_hidden(self.runtime, wire, wire.parents, handler, is_item=is_item),
            summary=_summary(verb, model), wire=wire, access=declared_rule(model.declared.access, kind),
            paths=paths[1:], slash=wire.declared.slash == "both", status=status or 200, errors=wire.declared.errors,
            is_public=self.runtime.policy.predicate(model, kind, Facts()) is not False,
            parameters=path_attributes(wire.parents, wire if is_item else None),
            body_limit=form_limit(wire, updating=False) if kind == "create" else 1 << 20,
            repeats=Repeats.of(wire.create.idempotency) if kind == "create" else None,
        )  # fmt: skip

    def _verb(self, kind: str, method: str) -> str:
        if kind == "update" and method == "PUT" and not is_partial(self.wire.update, "PUT"):
            return "replace"
        return f"update_by_{method.lower()}" if kind == "update" and method != self._first_partial() else kind

    def _first_partial(self) -> str:
        methods = self.wire.update.methods or STANDARD_METHODS["update"]
        return next((method for method in methods if is_partial(self.wire.update, method)), "")

    def keys(self, request: Request) -> tuple[Any, ...]:
        """The row's key out of the path."""
        return row_keys(self.runtime, self.wire, request)

    def placed(self, ctx: Context, request: Request) -> Context:
        """The context below the parents of the path."""
        return placed(ctx, self.wire.parents, request) if self.wire.parents else ctx

    # -- reading --

    def list_rows(self, request: Request) -> Answer:
        """GET on the collection."""
        ctx = self.placed(self.runtime.context(request.actor, request_id=request.id), request)
        page = reading.list_page(ctx, self.wire, request.query)
        body, headers = enveloped(self.wire, page), page_headers(self.wire, request, page)
        return Answer(200, orjson.dumps(body, option=JSON_OPTIONS), JSON, headers)

    def get(self, request: Request) -> Answer:
        """GET on a row."""
        ctx = self.placed(self.runtime.context(request.actor, request_id=request.id), request)
        shown = reading.get_row(ctx, self.wire, self.keys(request), request.query)
        body = orjson.dumps(shown.row, option=JSON_OPTIONS)
        tag = etag(self.wire, shown, body, is_chosen=bool(request.query))
        if is_unchanged(request, tag):
            return Answer(304, b"", None, [("ETag", tag)])
        return Answer(200, body, JSON, [("ETag", tag)])

    # -- writing --

    def create(self, request: Request) -> Answer:
        """POST on the collection."""
        schemas = self.runtime.registry.schemas
        values = schemas.load(schemas.create(self.wire), self.wire.renamed(request.json()))
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
            written = writing.create(self.placed(ctx, request), self.wire, values)
        return self.answered(
            self.wire.create, written, "created", [("Location", self._location(request, written))]
        )

    def _location(self, request: Request, written: writing.Written) -> str:
        by = self.wire.declared.by
        names = [key.name for key in self.wire.model.keys]
        told = {by: written.row[self.wire.outer[by]]} if by else dict(zip(names, written.keys, strict=True))
        return filled(self.wire.places.items[0], {**request.params, **told})

    def _updating(self, method: str) -> Any:
        """The handler of PATCH, PUT or POST on a row."""
        partial = is_partial(self.wire.update, method)

        def update(request: Request) -> Answer:
            keys = self.keys(request)
            values = self.load_update(request, request.json(), is_partial=partial, merges=method == "PATCH")
            with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
                below, match = self.placed(ctx, request), match_of(request, ctx, self.wire, keys)
                written = writing.update(below, self.wire, keys, values, match=match)
            return self.answered(self.wire.update, written, "updated", [])

        return update

    def load_update(self, request: Request, data: Any, *, is_partial: bool, merges: bool) -> writing.Given:
        """What an update's body wants stored; `merges` means that objects in it are merged into the stored ones."""
        named = self.wire.renamed(data)
        if merges and is_partial:
            return load_patch(self.runtime, self.wire, named)
        if is_partial:
            schemas = self.runtime.registry.schemas
            return schemas.load(schemas.patch(self.wire), named)
        return load_replacement(self.runtime, self.wire, named, facts_of(request.actor))

    def delete(self, request: Request) -> Answer:
        """DELETE on a row."""
        keys = self.keys(request)
        model, schemas = self.wire.model, self.runtime.registry.schemas
        taken = schemas.removal(self.wire)
        beside = schemas.load(taken, request.json(is_optional=True)) if taken is not None else None
        with self.runtime.writing(request.actor, request.id, model.plugin) as ctx:
            below, match = self.placed(ctx, request), match_of(request, ctx, self.wire, keys)
            shown = reading.get_row(below, self.wire, keys).row if self.wire.delete.body == "row" else {}
            writing.delete(below, self.wire, keys, match=match, beside=beside)
        return self.answered(self.wire.delete, writing.Written(keys, shown, None), "deleted", [])

    def answered(
        self, node: WireOperation, written: writing.Written, verb: str, headers: list[tuple[str, str]]
    ) -> Answer:  # fmt: skip
        """The answer to a write in the form that the wire declares."""
        status = node.status or 200
        key = written.keys[0] if len(written.keys) == 1 else list(written.keys)
        message = node.message or f"{self.wire.model.spoken.capitalize()} {verb} successfully"
        beside = {self.wire.outer[name]: written.row.get(self.wire.outer[name]) for name in node.also}
        match node.body:
            case "none":
                return Answer(status, b"", None, headers)
            case "message":
                return json_answer({"message": message, **beside}, status, headers)
            case "id_message":
                return json_answer({"id": key, "message": message, **beside}, status, headers)
            case "id":
                return json_answer({"id": key, **beside}, status, headers)
            case "null":
                return json_answer(None, status, headers)
        body = orjson.dumps(written.row, option=JSON_OPTIONS)
        if verb != "deleted":
            headers.append(("ETag", etag(self.wire, Shown(written.row, written.version), body)))
        return Answer(status, body, JSON, headers)


def is_partial(node: WireOperation, method: str) -> bool:
    """Whether keys left out of an update keep their values."""
    return node.partial if node.partial is not None else method != "PUT"


def _summary(verb: str, model: Model) -> str:
    noun = model.spoken
    article = "an" if noun[0] in "aeiou" else "a"
    return {"list": f"List {model.spoken_plural}", "get": f"Read one {noun}"}.get(
        verb, f"{verb.partition('_')[0].capitalize()} {article} {noun}"
    )
