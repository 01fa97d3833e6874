"""The bodies of a wire's operations: rows as answered and as taken, pages, and the short answers to writes."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from host.access import Policy, facts_of
from host.actor import SYSTEM
from host.compiler.answers import Answered, answer_name, answer_schema
from host.compiler.registry import Registry
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field, WireOperation
from host.query.related import MOST_RELATED
from host.web.lists import is_bare
from host.web.openapi.components import Components, Json
from host.web.openapi.examples import FILES, example_of
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas, described, examples, or_null


class Shapes:
    """The bodies of one document."""

    def __init__(
        self, registry: Registry, policy: Policy, components: Components, values: ValueSchemas
    ) -> None:
        self.registry, self.policy = registry, policy
        self.components, self.values = components, values
        self._answers: dict[CompiledWire, ma.Schema] = {}

    def answer(self, wire: CompiledWire) -> ma.Schema:
        """The marshmallow schema of an answered row."""
        if wire not in self._answers:
            scope = self.policy.scope(wire.model, facts_of(SYSTEM))
            made = answer_schema(wire, self.registry.kinds, scope)
            self._answers[wire] = made
        return self._answers[wire]

    def row(self, wire: CompiledWire) -> Json:
        """A whole row."""
        schema = self.answer(wire)
        known = self.components.known(schema)
        if known is not None:
            return known
        more = {**described(wire.model.declared.doc), **examples(self.example(schema))}
        reference = self.components.marshmallow(answer_name(wire), schema, more)
        if self._embedded(wire):
            self.components.content(reference)["properties"]["expand"] = self._expand(wire)
        return reference

    def part(self, wire: CompiledWire) -> Json:
        """A row of which `fields` may have chosen some keys."""
        whole = self.components.content(self.row(wire))
        kept = {
            key: value for key, value in whole.items() if key not in ("required", "description", "examples")
        }
        name = f"{answer_name(wire)}Part"
        some = self.components.schema((name,), {**kept, "description": "The keys that `fields` chose."})
        return {"anyOf": [self.row(wire), some]}

    def taken(self, schema: ma.Schema) -> Json:
        """What create, update or replace takes."""
        is_form = any(field.required and _is_file(field) for field in schema.fields.values())
        more = {"type": "object", **({} if is_form else examples(self.example(schema)))}
        return self.components.known(schema) or self.components.marshmallow(
            type(schema).__name__, schema, more
        )

    def page(self, wire: CompiledWire) -> Json:
        """What a list answers."""
        shape = wire.declared.list
        rows = {"type": "array", "items": self.part(wire)}
        if shape.form == "array":
            return rows
        properties: Json = {shape.key or "items": rows}
        if is_bare(wire):
            required = list(properties)
        elif shape.pages == "number":
            whole = {"type": "integer", "minimum": 0}
            properties |= {"page": whole, "page_size": whole, "total": whole}
            required = list(properties)
        else:
            properties["next"] = {"type": ["string", "null"], "description": "the cursor of the next page"}
            required = list(properties)
            properties["total"] = {
                "type": "integer",
                "minimum": 0,
                "description": "how many rows there are, with `count=exact`",
            }
        content = {"type": "object", "properties": properties, "required": required}
        return self.components.schema((f"{answer_name(wire)}Page",), content)

    def written(self, wire: CompiledWire, node: WireOperation) -> Json | None:
        """What a write answers; None for nothing."""
        first = wire.model.keys[0]
        key = self.values.bare(
            first.field, Style.answered(wire.form), camel(wire.model.name) + camel(first.name)
        )
        keys: Json = key if len(wire.model.keys) == 1 else {"type": "array"}
        message = {"message": {"type": "string"}}
        properties: dict[str, Json] = {
            "message": message,
            "id": {"id": keys},
            "id_message": {"id": keys, **message},
        }
        match node.body:
            case "none":
                return None
            case "null":
                return {"type": "null"}
            case "row":
                return self.row(wire)
        row = self.components.content(self.row(wire))["properties"] if node.also else {}
        beside = {wire.outer[name]: row[wire.outer[name]] for name in node.also}
        fields = {**properties[node.body or "message"], **beside}
        return {"type": "object", "properties": fields, "required": list(fields)}

    def result(self, out: Field, wire: CompiledWire | None, name: str) -> Json:
        """What an action or endpoint answers: rows of a resource, or values of types."""
        if out.type in self.registry.models:
            return or_null(self.row(self._wire_of(out.type, wire)))
        if out.type == "list" and out.of is not None:
            return {"type": "array", "items": self.result(out.of, wire, name)}
        style = Style.answered(wire.form) if wire is not None else Style(False)
        return self.values.bare(out, style, name)

    def _wire_of(self, name: str, wire: CompiledWire | None) -> CompiledWire:
        wires = self.registry.wires[name]
        if wire is not None and wire.model.name == name:
            return wire
        return next((found for found in wires if wire is not None and found.name == wire.name), wires[0])

    # -- embedded relations --

    def _embedded(self, wire: CompiledWire) -> tuple[str, ...]:
        return wire.model.declared.query.expand

    def _expand(self, wire: CompiledWire) -> Json:
        properties = {}
        for name in self._embedded(wire):
            link = wire.model.links.get(name)
            relation = wire.model.attributes[name].relation if link is None else None
            target = self._wire_of(link.target if link is not None else relation.to if relation else "", wire)
            row = (
                self.row(target)
                if target is not wire
                else {"$ref": f"#/components/schemas/{answer_name(wire)}"}
            )
            many = {"type": "array", "items": row, "maxItems": MOST_RELATED}
            properties[wire.outer.get(name, name)] = many if link is not None else or_null(row)
        return {
            "type": "object",
            "properties": properties,
            "description": "the relations that `expand` embedded",
        }

    # -- examples --

    def example(self, schema: ma.Schema) -> dict[str, Any]:
        """A row made of the fields' examples."""
        found = {}
        for name, field in schema.fields.items():
            value = self._value(field)
            if value is not None:
                found[field.data_key or name] = value
        return found

    def _value(self, field: Any) -> Any:
        kinds = self.registry.kinds
        if isinstance(field, Answered):
            if field.output.value is None:
                return field.output.constant
            return example_of(field.output.field, kinds, Style.answered(field.form))
        return example_of(
            field.metadata["field"],
            kinds,
            Style.taken(field.metadata["values"], field.metadata["unknown"]),
        )


def _is_file(field: Any) -> bool:
    """Whether a field takes a file, which JSON cannot hold."""
    taken = field.metadata.get("field")
    return taken is not None and taken.type in FILES
