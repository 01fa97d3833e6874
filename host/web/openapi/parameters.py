"""The parameters of operations: of the path, of a list's query string, of an action's, and the conditional headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from host.compiler.models import Attribute
from host.compiler.registry import Registry
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.query.operands import MOST_VALUES
from host.query.parameters import MOST_BEFORE, MOST_PAGES
from host.web.openapi.components import Json
from host.web.openapi.styles import Style
from host.web.openapi.values import BLANK, TAKEN_AS_TEXT, ValueSchemas

SAID = {
    "eq": "this", "ne": "not this", "gt": "greater than this", "gte": "at least this", "lt": "less than this",
    "lte": "at most this",
    "in": "one of these, separated by commas", "null": "absent (true) or present (false)",
    "contains": "a text with this in it, without regard to case", "starts": "a text that starts with this",
}  # fmt: skip


WORDS = "Words that all have to occur, at most 10."
PHRASE = "A text that has to occur, without regard to case."
TERMS = (
    'Words that all have to occur, without regard to case and accents: `word`, `"a phrase"`, `beginning*`, `-excluded`. '
    "At most 10; the best matches come first."
)
TERM = "Words that have to occur one behind another, without regard to case and accents."


def _searching(name: str, doc: str) -> Json:
    return parameter(name, "query", {"type": "string", "maxLength": 200}, doc)


def parameter(name: str, place: str, schema: Json, doc: str, **more: Any) -> Json:
    """One parameter."""
    return {"name": name, "in": place, "schema": schema, "description": doc, **more}


def header(name: str, doc: str) -> Json:
    """An optional header."""
    return parameter(name, "header", {"type": "string"}, doc)


def if_match(*, is_required: bool) -> Json:
    """The header of a write that must not overwrite what it has not seen."""
    also = "Without it the answer is 428." if is_required else "Optional; without it the last writer wins."
    return header(
        "If-Match", f"The ETag that was read: the write answers 412 when the row has changed since. {also}"
    )


def if_none_match() -> Json:
    """The header of a read that needs no body when nothing has changed."""
    return header("If-None-Match", "The ETag of a copy at hand: the answer is 304 when it is still good.")


def idempotency_key(*, is_required: bool) -> Json:
    """The header of a request that may be sent twice."""
    schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._:/+=@-]+$"}
    doc = (
        "Makes a repeat harmless: the same key with the same request is answered again and carried out once."
    )
    more = {"required": True} if is_required else {}
    return parameter("Idempotency-Key", "header", schema, doc, **more)


def path_parameter(values: ValueSchemas, name: str, attribute: Attribute | None, base: str) -> Json:
    """A parameter of the path: the key's schema; `base` is the name of the resource's component."""
    field = attribute.field if attribute is not None else Field(type="string")
    schema = values.of(replace(field, doc=None), Style(False), base + camel(name), nullable=False)
    return parameter(name, "path", schema, field.doc or f"the {name.replace('_', ' ')}", required=True)


class ListParameters:
    """The query string of one wire's list, as `query.parameters` reads it."""

    def __init__(self, wire: CompiledWire, values: ValueSchemas, registry: Registry) -> None:
        self.wire, self.values, self.kinds, self.models = wire, values, registry.kinds, registry.models
        self.query = wire.model.declared.query

    def all(self) -> Iterator[Json]:
        """Filters, order, choice of fields, embedding, search, total, page."""
        for name in self.query.filter:
            if name in self.wire.outer:
                yield from self._filters(self.wire.model.attributes[name])
        for name, declared in self.wire.declared.parameters.items():
            if declared.field is None:
                yield _searching(name, self._sought(declared.operator))
                continue
            attribute = self._attribute(declared.field)
            said = f"Only rows whose `{declared.field}` is {SAID[declared.operator]}."
            yield self._filter(name, attribute, declared.operator, said)
        yield from self._order()
        yield from self.choice()
        if self.query.search.names:
            yield _searching("q", self._sought("search"))
        count = {"type": "string", "enum": ["exact", "none"]}
        yield parameter("count", "query", count, "`exact` adds the total number of rows.")
        yield from self._pages()

    def _sought(self, operator: str) -> str:
        if self.query.search.fields:
            return TERMS if operator == "search" else TERM
        return WORDS if operator == "search" else PHRASE

    def choice(self) -> Iterator[Json]:
        """`fields` and `expand`, which a single row takes too."""
        yield _list_of("fields", {"type": "string", "enum": list(self.wire.keys)}, "Answer only these keys.")
        embedded = [self.wire.outer.get(name, name) for name in self.query.expand]
        if embedded:
            yield _list_of(
                "expand", {"type": "string", "enum": embedded}, "Embed these relations under `expand`."
            )

    def _filters(self, attribute: Attribute) -> Iterator[Json]:
        outer = self.wire.outer[attribute.name]
        for operator in self.kinds[attribute.field.type].operators:
            name = outer if operator == "eq" else f"{outer}[{operator}]"
            yield self._filter(name, attribute, operator, f"Only rows whose `{outer}` is {SAID[operator]}.")

    def _filter(self, name: str, attribute: Attribute, operator: str, doc: str) -> Json:
        if operator == "in":
            return _list_of(name, self._operand(attribute), doc, maxItems=MOST_VALUES)
        if operator == "null":
            return parameter(name, "query", {"type": "boolean"}, doc)
        schema = {"type": "string"} if operator in ("contains", "starts") else self._operand(attribute)
        return parameter(name, "query", schema, doc)

    def _attribute(self, path: str) -> Attribute:
        """The attribute that a parameter of the wire's own filters by."""
        model, (*steps, last) = self.wire.model, path.split(".")
        for step in steps:
            relation = model.attributes[step].relation
            assert relation is not None  # the linker resolved the path
            model = self.models[relation.to]
        return model.attributes[last]

    def _operand(self, attribute: Attribute) -> Json:
        """The schema of a filter's value, as text of a query string."""
        field = replace(attribute.field, min=None, max=None)
        if self.kinds[field.type].is_text:
            return {"type": "string"}
        values = self.wire.declared.values
        values = replace(values, duration=self.wire.declared.units.get(attribute.name, values.duration))
        base = camel(self.wire.model.name) + camel(attribute.name)
        schema = self.values.bare(field, Style.taken(values), base)
        return dict(schema["anyOf"][0]) if field.type == "decimal" else schema

    def _order(self) -> Iterator[Json]:
        names = [self.wire.outer[name] for name in self.query.sort if name in self.wire.outer]
        if names:
            choices = [text for name in names for text in (name, f"-{name}")]
            yield _list_of(
                "sort", {"type": "string", "enum": choices}, "The order; `-` in front for descending."
            )

    def _pages(self) -> Iterator[Json]:
        unpaged, page = self.wire.declared.page.unpaged, self.query.page
        size = {
            "type": "integer",
            "minimum": 1,
            "maximum": unpaged or page.max,
            "default": unpaged or page.default,
        }
        if self.wire.declared.list.pages == "number":
            yield parameter(
                "page",
                "query",
                {"type": "integer", "minimum": 1, "maximum": MOST_PAGES, "default": 1},
                "The number of the page.",
            )
        else:
            yield parameter(
                "cursor",
                "query",
                {"type": "string", "minLength": 1},
                "Where the page before ended: its `next`, from the same list and order.",
            )
        yield parameter("page_size", "query", size, "The most rows to answer.")
        if self.wire.declared.list.pages == "offset":
            yield parameter("limit", "query", size, "Another word for `page_size`.")
            before = {"type": "integer", "minimum": 0, "maximum": MOST_BEFORE, "default": 0}
            yield parameter("offset", "query", before, "How many rows to pass over.")


def _list_of(name: str, items: Json, doc: str, **more: Any) -> Json:
    schema = {"type": "array", "items": items, "minItems": 1, **more}
    return parameter(name, "query", schema, doc, style="form", explode=False)


def input_parameters(node: Field, values: ValueSchemas, style: Style, base: str) -> Iterator[Json]:
    """The fields of an action's input as parameters of the query string, with GET."""
    for name, field in node.fields.items():
        schema = values.of(field, style, f"{base}{camel(str(name))}", nullable=False)
        if field.type == "decimal" and "anyOf" in schema:
            schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **schema["anyOf"][0]}
        schema.pop("description", None)
        required = field.required and field.default is None
        if style.takes_blank and not required and field.type not in TAKEN_AS_TEXT:
            schema = {"anyOf": [schema, BLANK]}
        yield parameter(
            str(name),
            "query",
            schema,
            field.doc or f"The {str(name).replace('_', ' ')}.",
            **({"required": True} if required else {}),
        )
