"""How operations about many rows are described: bulk writes, export, import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.compiler.answers import answer_name
from host.compiler.registry import Registry
from host.compiler.wires import CompiledWire
from host.transfer.bulk import MOST_ITEMS
from host.web.openapi.components import Components, Json
from host.web.openapi.parameters import ListParameters, parameter
from host.web.openapi.shapes import Shapes
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas
from host.web.operations import Operation
from host.web.transfer import DUPLICATES

Part = tuple[list[Json], Json | None, Json]
PAGING = ("count", "cursor", "page", "page_size", "limit", "offset", "expand")
CSV, NDJSON = "text/csv", "application/x-ndjson"


class ManyRows:
    """Describes the operations of a wire's collection that are about many rows."""

    def __init__(
        self, registry: Registry, components: Components, values: ValueSchemas, shapes: Shapes
    ) -> None:  # fmt: skip
        self.registry, self.components, self.values, self.shapes = registry, components, values, shapes

    def makers(self) -> Mapping[str, Any]:
        """What describes each kind."""
        return {
            "bulk_create": self.create,
            "bulk_update": self.update,
            "bulk_delete": self.delete,
            "export": self.export,
            "import": self.imported,
        }

    def create(self, operation: Operation, wire: CompiledWire) -> Part:
        """An array of what create takes."""
        item = self.shapes.taken(self.registry.schemas.create(wire))
        return [], _items(item), {str(operation.status): _said("The rows were stored.", self._rows(wire))}

    def update(self, operation: Operation, wire: CompiledWire) -> Part:
        """An array of objects with the key and what changes."""
        patch = self.components.content(self.shapes.taken(self.registry.schemas.patch(wire)))
        addressed = self._addressed(wire)
        properties = {**addressed["properties"], **patch.get("properties", {})}
        content = {
            "type": "object",
            "properties": properties,
            "required": addressed["required"],
            "additionalProperties": wire.declared.unknown == "ignore",
        }
        item = self.components.schema((f"{answer_name(wire)}BulkPatch",), content)
        return [], _items(item), {"200": _said("The rows were changed.", self._rows(wire))}

    def delete(self, operation: Operation, wire: CompiledWire) -> Part:
        """An array of keys, or of objects with the key and the version."""
        addressed = self._addressed(wire)
        choices = [addressed]
        if not self._needs_version(wire):
            keys = [self._key(wire, index) for index in range(len(wire.model.keys))]
            several = {
                "type": "array",
                "prefixItems": keys,
                "items": False,
                "minItems": len(keys),
                "maxItems": len(keys),
            }
            choices.append(keys[0] if len(keys) == 1 else several)
        count = {"type": "integer", "minimum": 0, "description": "how many rows are gone"}
        answer = {"type": "object", "properties": {"deleted": count}, "required": ["deleted"]}
        return [], _items({"anyOf": choices}), {"200": _said("The rows are gone.", answer)}

    def export(self, operation: Operation, wire: CompiledWire) -> Part:
        """The list's query without its pages."""
        asked = ListParameters(wire, self.values, self.registry).all()
        parameters = [found for found in asked if found["name"] not in PAGING]
        formats = {"type": "string", "enum": ["csv", "ndjson"], "default": "csv"}
        parameters.append(parameter("format", "query", formats, "The form of the file."))
        content = {media: {"schema": {"type": "string"}} for media in (CSV, NDJSON)}
        name = {"schema": {"type": "string"}, "description": "The name of the file."}
        answer = {"description": "The file.", "content": content, "headers": {"Content-Disposition": name}}
        return parameters, None, {"200": answer}

    def imported(self, operation: Operation, wire: CompiledWire) -> Part:
        """A file as the body."""
        formats = {"type": "string", "enum": ["csv", "ndjson", "mongo"]}
        parameters = [
            parameter("format", "query", formats, "The form of the file, if not as its media type says."),
            parameter("dry_run", "query", {"type": "boolean", "default": False}, "Check, and store nothing."),
            parameter(
                "on_duplicate",
                "query",
                {"type": "string", "enum": list(DUPLICATES), "default": "error"},
                "What to do with rows that exist.",
            ),
        ]
        body = {
            "required": True,
            "content": {media: {"schema": {"type": "string"}} for media in (CSV, NDJSON)},
        }
        return parameters, body, {"200": _said("What was stored.", self._report())}

    # -- parts --

    def _rows(self, wire: CompiledWire) -> Json:
        rows = {"type": "array", "items": self.shapes.row(wire)}
        if wire.declared.list.form == "array":
            return rows
        key = wire.declared.list.key or "items"
        return {"type": "object", "properties": {key: rows}, "required": [key]}

    def _key(self, wire: CompiledWire, index: int) -> Json:
        key = wire.model.keys[index]
        return self.values.bare(
            key.field, Style(False), f"{answer_name(wire)}{key.name.title().replace('_', '')}"
        )

    def _addressed(self, wire: CompiledWire) -> Json:
        names = [wire.outer.get(key.name, key.name) for key in wire.model.keys]
        properties = {name: self._key(wire, index) for index, name in enumerate(names)}
        version = wire.model.version
        if version is not None and version.name in wire.outer:
            properties[wire.outer[version.name]] = {
                "type": "integer",
                "description": "the version that was read",
            }
            if self._needs_version(wire):
                names.append(wire.outer[version.name])
        return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}

    def _needs_version(self, wire: CompiledWire) -> bool:
        versioned = wire.model.declared.mixins.versioned
        return versioned is not None and versioned.required

    def _report(self) -> Json:
        whole, text = {"type": "integer", "minimum": 0}, {"type": "string"}
        wrong = {"line": whole, "pointer": text, "code": text, "detail": text}
        error = {"type": "object", "properties": wrong, "required": list(wrong)}
        properties = {
            **dict.fromkeys(("rows", "created", "updated", "skipped"), whole),
            "errors": {"type": "array", "items": error, "description": "what is wrong, line by line"},
            "ignored": {"type": "array", "items": text, "description": "columns that were passed over"},
            "dry_run": {"type": "boolean"},
        }
        content = {"type": "object", "properties": properties, "required": list(properties)}
        return self.components.schema(("ImportReport",), content)


def _items(item: Json) -> Json:
    schema = {"type": "array", "items": item, "maxItems": MOST_ITEMS}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _said(doc: str, schema: Json) -> Json:
    return {"description": doc, "content": {"application/json": {"schema": schema}}}
