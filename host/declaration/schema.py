"""The JSON Schema of the language (draft 2020-12), out of the same annotations that the binder uses.

Editors complete and check declarations with it: `hostwright schema`. It is as strict as the binder; what only the linker
can know (whether a name exists) it cannot say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from host.declaration import nodes
from host.declaration.forms import FORMS

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"}, int: {"type": "integer"}, bool: {"type": "boolean"}, Any: {},
    nodes.Expression: {"type": "string", "minLength": 1, "maxLength": 1000},
}  # fmt: skip


def json_schema(types: Iterable[str], plugins: Iterable[str]) -> Schema:
    """The schema of every file: the site's `resources.yaml`, a plugin's, and `plugin.yaml`.

    `types` are the field types and `plugins` the installed plugins, so that editors offer their names.
    """
    writer = _Writer(sorted(types), sorted(plugins))
    site, manifest, declarations = (
        writer.node(it) for it in (nodes.Site, nodes.Manifest, nodes.Declarations)
    )
    return {
        "$schema": DIALECT,
        "title": "Declarations of Hostwright, grammar 1",
        "if": {"required": ["site"]},
        "then": site,
        "else": {"if": {"required": ["version"]}, "then": manifest, "else": declarations},
        "$defs": writer.definitions,
    }


class _Writer:
    """Collects the definitions while they refer to each other."""

    def __init__(self, types: list[str], plugins: list[str]) -> None:
        self._types = types
        self._plugins = plugins
        self.definitions: dict[str, Schema] = {}

    def node(self, kind: type[nodes.Node]) -> Schema:
        """A reference to the definition of a construct, which is made when it is first needed."""
        if kind.__name__ not in self.definitions:
            self.definitions[kind.__name__] = {}  # constructs contain each other
            self.definitions[kind.__name__] = self._definition(kind)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def _definition(self, kind: type[nodes.Node]) -> Schema:
        hints = get_type_hints(kind)
        keys = [it for it in dataclasses.fields(kind) if "doc" in it.metadata]
        properties = {
            it.metadata.get("alias", it.name): self._property(kind, it, hints[it.name]) for it in keys
        }
        required = [it.metadata.get("alias", it.name) for it in keys if _is_required(it)]
        mapping: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            mapping["required"] = required
        doc = {"description": " ".join((kind.__doc__ or "").split())}
        if kind is nodes.Mixins:
            return {**doc, "anyOf": [mapping, *self._mixin_lists(mapping)]}
        if kind.SHORT is None:
            return {**doc, **mapping}
        return {**doc, "anyOf": [self._short(hints[kind.SHORT]), mapping]}

    def _property(self, kind: type[nodes.Node], field: dataclasses.Field[Any], hint: Any) -> Schema:
        schema = {**self.of(hint), "description": field.metadata["doc"]}
        if isinstance(field.default, (str, int, bool)):
            schema["default"] = field.default
        if kind is nodes.SiteInfo and field.name == "plugins" and self._plugins:
            names = {"enum": self._plugins}
            schema = {
                "anyOf": [names, {"type": "array", "items": names}],
                "description": field.metadata["doc"],
            }
        return schema

    def _short(self, hint: Any) -> Schema:
        """What may stand for the whole construct: anything but a mapping."""
        schema = self.of(hint)
        return schema if schema.get("type") != "object" else {}

    def _mixin_lists(self, mapping: Schema) -> list[Schema]:
        names = {"enum": list(mapping["properties"])}
        return [names, {"type": "array", "items": {"anyOf": [names, mapping]}}]

    def of(self, hint: Any) -> Schema:  # hints are types, aliases and special forms
        """The schema of an annotation of the grammar."""
        origin, arguments = get_origin(hint), get_args(hint)
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        if hint in FORMS:
            return self._form(hint)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return self._list(arguments[0])
        if origin in (Union, UnionType):
            return self._union(arguments)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(*arguments)
        return self.node(hint)

    def _form(self, hint: Any) -> Schema:
        form = FORMS[hint]
        schema: Schema = {"type": "string", "pattern": f"^(?:{form.pattern})$"}
        if hint is nodes.TypeRef:
            return {"anyOf": [{"enum": self._types}, schema]}
        return schema

    def _array(self, hint: Any) -> Schema:
        return {"type": "array", "items": self.of(get_args(hint)[0])}

    def _list(self, item: Any) -> Schema:
        one = self.of(item)
        alone = {"allOf": [one], "type": ["string", "integer", "boolean"]} if "$ref" in one else one
        return {"anyOf": [alone, {"type": "array", "items": one}]}

    def _union(self, arguments: tuple[Any, ...]) -> Schema:
        members = [it for it in arguments if it is not NoneType]
        if len(members) == 1 and isinstance(members[0], type) and issubclass(members[0], nodes.Node):
            return self.of(members[0])  # a construct is left out, it is never null
        # Beside words of its own, a list is always written as one.
        schemas = [
            self._array(it) if len(members) > 1 and get_origin(it) is tuple else self.of(it) for it in members
        ]
        return {"anyOf": [*schemas, {"type": "null"}] if NoneType in arguments else schemas}

    def _mapping(self, key: Any, item: Any) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.of(item)}
        if key is not str:
            schema["propertyNames"] = self.of(key)
        return schema


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
