"""The operations of file fields below a row's path: download, upload, clear and a link; and rows that come with files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from host.access import declared_rule
from host.compiler.expressions import Facts
from host.compiler.models import Attribute
from host.compiler.wires import CompiledWire
from host.declaration.files import file_fields, file_routes
from host.declaration.nodes import WireFile
from host.declaration.paths import below
from host.errors import Invalid
from host.fields.files import Uploaded
from host.service import writing
from host.service.reading import Shown
from host.service.runtime import Runtime
from host.web.downloads import Download, is_public, reading_rule
from host.web.etags import etag, match_of
from host.web.http import JSON, JSON_OPTIONS, Answer, Request, json_answer
from host.web.operations import Handler, Operation, operation_id, path_attributes
from host.web.permissions import check_may_update, files_of, room_of
from host.web.placing import placed, row_keys, telling_hidden
from host.web.uploads import MOST_TEXT, Slot, is_form, received_file, received_form


@dataclass(frozen=True, eq=False)
class FileOperations:
    """The operations of every file field of one wire."""

    runtime: Runtime
    wire: CompiledWire

    def operations(self) -> Iterator[Operation]:
        """One operation for each method on each path."""
        resource = self.wire.model.declared
        for name in file_fields(resource, self.wire.declared):
            files: Mapping[str, WireFile] = self.wire.declared.files
            node, outer = files.get(name) or WireFile(), self.wire.outer[name]
            field = self.wire.model.attributes[name]
            handlers = FieldHandlers(self.runtime, self.wire, field, node, (node.part or outer,))
            for operation, method, tail in file_routes(resource, self.wire.declared, name):
                yield handlers.operation(operation, method, tail)


@dataclass(frozen=True, eq=False)
class FieldHandlers:
    """The handlers of one field on one wire. `parts` are the names that the file may have in a form."""

    runtime: Runtime
    wire: CompiledWire
    field: Attribute
    node: WireFile
    parts: tuple[str, ...]

    @property
    def outer(self) -> str:
        """The field's name on this wire."""
        return self.wire.outer[self.field.name]

    def operation(self, kind: str, method: str, tail: str) -> Operation:
        """One of the operations."""
        wire, model = self.wire, self.wire.model
        paths = tuple(below(item, tail) for item in wire.places.items)
        rule: Any = reading_rule(wire) if kind in ("download", "link") else "update"
        verb = f"{kind}_{self.field.name}" + ("_by_post" if kind == "upload" and method == "POST" else "")
        handler: Handler = getattr(self, kind)
        return Operation(
            id=operation_id(verb, model.name, wire), method=method, path=paths[0], kind=kind, plugin=model.plugin,
            handler=telling_hidden(self.runtime, wire, wire.parents, handler, is_item=True),
            summary=self._summary(kind), wire=wire, access=declared_rule(model.declared.access, rule), paths=paths[1:],
            slash=wire.declared.slash == "both", status=self._status(kind), errors=wire.declared.errors,
            # A signed link is shown by somebody who is not signed in.
            is_public=kind == "download" or (is_public(self.runtime, wire) if kind == "link" else self._may_anybody()),
            parameters=path_attributes(wire.parents, wire), body_limit=int(self.field.field.max) + MOST_TEXT,
            details={"field": self.field, "node": self.node},
        )  # fmt: skip

    def _may_anybody(self) -> bool:
        return self.runtime.policy.predicate(self.wire.model, "update", Facts()) is not False

    def _summary(self, kind: str) -> str:
        of = f"the {self.field.name.replace('_', ' ')} of a {self.wire.model.spoken}"
        verbs = {"download": "Download", "upload": "Store", "clear": "Remove", "link": "Get a link to"}
        return f"{verbs[kind]} {of}"

    def _status(self, kind: str) -> int:
        clear = self.node.clear
        return {
            "upload": self.node.upload.status,
            "clear": clear.status or (204 if clear.body == "none" else 200),
        }.get(kind, 200)

    # -- reading --

    def download(self, request: Request) -> Answer:
        """GET on the file."""
        return Download(self.runtime, self.wire, self.field).answer(request)

    def link(self, request: Request) -> Answer:
        """GET on the file's link: an address that holds for a while without a token."""
        if request.query:
            raise Invalid.at(
                parse_qsl(request.query, keep_blank_values=True)[0][0], "unknown", "nobody declared this"
            )
        path, keys = self._seen(request)
        query = files_of(self.runtime).signatures.query(
            f"{self.wire.model.name}.{self.field.name}", keys, path, time.time()
        )
        served = request.path.rstrip("/").removesuffix("/link")
        expires = datetime.fromtimestamp(int(dict(parse_qsl(query))["expires"]), UTC)
        said = {"url": f"{served}?{query}", "expires_at": expires}
        return json_answer(said, 200, [("Cache-Control", "private, no-store")])

    def _seen(self, request: Request) -> tuple[str, tuple[Any, ...]]:
        path = Download(self.runtime, self.wire, self.field).seen(request, {})[0]
        return path, row_keys(self.runtime, self.wire, request)

    # -- writing --

    def upload(self, request: Request) -> Answer:
        """PUT or POST on the file: a form with its part, or the file itself."""
        check_may_update(self.runtime, self.wire, request, (self.field.name,))
        with self._received(request) as uploaded:
            written = self._written(request, uploaded)
        return self._uploaded(written)

    @contextmanager
    def _received(self, request: Request) -> Iterator[Uploaded]:
        files, room = files_of(self.runtime), room_of(self.runtime, request)
        slot = Slot(self.field.name, self.field.field)
        if not is_form(request):
            with received_file(files, request, slot, room) as uploaded:
                yield uploaded
            return
        with received_form(files, request, dict.fromkeys(self.parts, slot), room) as form:
            given = [form[part] for part in self.parts if form.get(part) is not None]
            if len(given) != 1:
                wanted = f'send one file as the part "{self.parts[0]}"'
                raise Invalid.at(f"/{self.field.name}", "required", wanted)
            yield given[0]

    def clear(self, request: Request) -> Answer:
        """DELETE on the file."""
        if self.field.field.required:
            raise Invalid.at(f"/{self.field.name}", "null", "may not be removed, only replaced")
        check_may_update(self.runtime, self.wire, request, (self.field.name,))
        written = self._written(request, None)
        node, status = self.node.clear, self._status("clear")
        if node.body == "none":
            return Answer(status, b"", None)
        if node.body == "row":
            return self._row(written, status)
        return json_answer({"message": node.message or self._message("removed")}, status)

    def _written(self, request: Request, value: Uploaded | None) -> writing.Written:
        keys = row_keys(self.runtime, self.wire, request)
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
            under, match = placed(ctx, self.wire.parents, request), match_of(request, ctx, self.wire, keys)
            return writing.update(under, self.wire, keys, {self.field.name: value}, match=match)

    def _uploaded(self, written: writing.Written) -> Answer:
        node = self.node.upload
        value = written.row.get(self.outer)
        message = {"message": node.message or self._message("stored")}
        match node.body:
            case "none":
                return Answer(node.status, b"", None)
            case "row":
                return self._row(written, node.status)
            case "value":
                return json_answer(value, node.status)
        return json_answer(message if node.body == "message" else {**message, self.outer: value}, node.status)

    def _row(self, written: writing.Written, status: int) -> Answer:
        body = orjson.dumps(written.row, option=JSON_OPTIONS)
        tag = etag(self.wire, Shown(written.row, written.version), body)
        return Answer(status, body, JSON, [("ETag", tag)])

    def _message(self, verb: str) -> str:
        return f"{self.field.name.replace('_', ' ').capitalize()} {verb} successfully"
