"""How operations about files are described: bodies of multipart/form-data, answers of bytes, links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host.compiler.answers import answer_name
from host.compiler.models import Attribute
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.fields.media import accepted
from host.web.openapi.components import Components, Json
from host.web.openapi.parameters import parameter
from host.web.openapi.shapes import Shapes
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas
from host.web.operations import Operation
from host.web.row_forms import form_slots

Part = tuple[list[Json], Json | None, Json]
FORM, JSON = "multipart/form-data", "application/json"
BYTES: Json = {"type": "string", "format": "binary"}


class FileParts:
    """Describes the operations of file fields."""

    def __init__(self, components: Components, values: ValueSchemas, shapes: Shapes) -> None:
        self.components, self.values, self.shapes = components, values, shapes

    def makers(self) -> Mapping[str, Callable[[Operation, CompiledWire], Part]]:
        """What describes each kind."""
        return {"download": self.download, "upload": self.upload, "clear": self.clear, "link": self.link}

    def download(self, operation: Operation, wire: CompiledWire) -> Part:
        """The bytes, or a part of them."""
        field: Attribute = operation.details["field"]
        content = {media: {"schema": BYTES} for media in (*accepted(field.field), "*/*")}
        headers = {"ETag": _header("The digest of the file."), "Content-Disposition": _header("Its name.")}
        answers: Json = {
            "200": {"description": "The file.", "content": content, "headers": headers},
            "206": {"description": "The range that was asked for.", "content": content},
            "304": {"description": "The copy at hand is still good."},
            "302": {"description": "Where the file is."},
        }
        return self._download_parameters(field), None, answers

    def _download_parameters(self, field: Attribute) -> list[Json]:
        found = [
            parameter("download", "query", {"type": "string"}, "save it instead of showing it"),
            parameter(
                "v", "query", {"type": "string"}, "changes with the file, so that copies at hand do not stay"
            ),
            parameter("expires", "query", {"type": "string"}, "when the link ends"),
            parameter("signature", "query", {"type": "string"}, "what makes a link hold without a token"),
        ]
        if field.field.variants:
            names = {"type": "string", "enum": list(field.field.variants)}
            found.append(parameter("variant", "query", names, "a smaller picture"))
        return found

    def upload(self, operation: Operation, wire: CompiledWire) -> Part:
        """The file by itself, or as the part of a form."""
        field, node = operation.details["field"], operation.details["node"]
        part = node.part or wire.outer[field.name]
        form = {"type": "object", "properties": {part: BYTES}, "required": [part]}
        content = {FORM: {"schema": form}, **{media: {"schema": BYTES} for media in accepted(field.field)}}
        answer = self._stored(field, wire, node.upload.body)
        return [], {"required": True, "content": content}, {str(operation.status): answer}

    def _stored(self, field: Attribute, wire: CompiledWire, body: str) -> Json:
        outer, message = wire.outer[field.name], {"type": "string"}
        value = self.values.bare(field.field, Style.answered(wire.form), camel(wire.model.name))
        schema = {
            "none": None, "row": self.shapes.row(wire) if body == "row" else None, "value": value,
            "message": _object(message=message), "message_value": _object(message=message, **{outer: value}),
        }[body]  # fmt: skip
        return _answer("The file was stored.", schema)

    def clear(self, operation: Operation, wire: CompiledWire) -> Part:
        """Nothing, a message or the row."""
        body = operation.details["node"].clear.body
        row = self.shapes.row(wire) if body == "row" else None
        schema = _object(message={"type": "string"}) if body == "message" else row
        return [], None, {str(operation.status): _answer("The file is gone.", schema)}

    def link(self, operation: Operation, wire: CompiledWire) -> Part:
        """The address."""
        url: Json = {"type": "string", "description": "holds without a token until it ends"}
        schema = _object(url=url, expires_at={"type": "string", "format": "date-time"})
        return [], None, {"200": _answer("The link.", schema)}

    def with_form(self, body: Json, wire: CompiledWire, schema: Json, suffix: str) -> Json:
        """The body of a create or update, which may come as a form where the row has files."""
        slots = form_slots(wire, updating=suffix != "Create")
        if not slots:
            return body
        plain = self.components.content(schema)
        properties = {key: BYTES if key in slots else value for key, value in plain["properties"].items()}
        content = {key: value for key, value in plain.items() if key not in ("examples", "properties")}
        name = f"{answer_name(wire)}{suffix}Form"
        form = self.components.schema((name,), {**content, "properties": properties})
        must = suffix == "Create" and any(slot.field.required for slot in slots.values())
        kept = {} if must else body["content"]  # JSON cannot hold the file that has to be there
        return {**body, "content": {**kept, FORM: {"schema": form}}}


def _object(**properties: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _answer(doc: str, schema: Json | None) -> Json:
    return (
        {"description": doc}
        if schema is None
        else {"description": doc, "content": {JSON: {"schema": schema}}}
    )


def _header(doc: str) -> Json:
    return {"schema": {"type": "string"}, "description": doc}
