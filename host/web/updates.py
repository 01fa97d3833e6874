"""The body of an update as values to store: what PUT leaves out, and what PATCH merges into objects (RFC 7396).

`resources` and `bulk` load with it before the transaction begins; what depends on the stored row is left to a function
that `service.writing.update` calls with the locked row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from host.compiler.expressions import Facts, any_of
from host.compiler.models import Attribute
from host.compiler.readers import converter
from host.compiler.wires import CompiledWire
from host.service.runtime import Runtime
from host.service.writing import Given
from host.web.http import JSON_OPTIONS

Values = dict[str, Any]


def load_replacement(runtime: Runtime, wire: CompiledWire, data: Any, facts: Facts) -> Values:
    """Where an update replaces, what is left out falls back to its default or null, if the actor may see and set it."""
    schemas = runtime.registry.schemas
    values = schemas.load(schemas.replace(wire), data)
    defaults = runtime.plans.defaults(wire.model)
    names = (
        name for name in schemas.replaced(wire) if _is_free(runtime, wire.model.attributes[name], wire, facts)
    )
    return {**{name: defaults.get(name) for name in names}, **values}


def _is_free(runtime: Runtime, attribute: Attribute, wire: CompiledWire, facts: Facts) -> bool:
    scope = runtime.policy.scope(wire.model, facts)
    rules = (rule for rule in (attribute.field.read, attribute.field.write) if rule)
    return facts.is_system or all(any_of(rule, scope) is True for rule in rules)


def load_patch(runtime: Runtime, wire: CompiledWire, data: Any) -> Given:
    """A JSON Merge Patch: an object is merged into the stored one, member by member, where a field holds objects."""
    schemas = runtime.registry.schemas
    patches = (
        {key: value for key, value in data.items() if _merges(wire, key, value)}
        if isinstance(data, dict)
        else {}
    )
    if not patches:
        return schemas.load(schemas.patch(wire), data)
    values = schemas.load(
        schemas.patch(wire), {key: value for key, value in data.items() if key not in patches}
    )

    def complete(before: Values) -> Values:
        outer = {key: _merged(runtime, wire, key, before, patch) for key, patch in patches.items()}
        loaded = schemas.load(schemas.patch(wire), outer)
        kept = {wire.inner[key]: patch for key, patch in patches.items()}
        return {**values, **{name: _untouched(loaded[name], before[name], kept[name]) for name in loaded}}

    return complete


def _merges(wire: CompiledWire, key: str, value: Any) -> bool:
    attribute = wire.model.attributes.get(wire.inner.get(key, ""))
    return isinstance(value, dict) and attribute is not None and attribute.field.type in ("object", "json")


def _merged(runtime: Runtime, wire: CompiledWire, key: str, before: Values, patch: Any) -> Any:
    """The stored value in the wire's form with the patch applied, still to be validated."""
    attribute = wire.model.attributes[wire.inner[key]]
    form = wire.field_form(attribute.name) or wire.form
    outer = runtime.plans.kept(
        ("converter", id(attribute.field), form), attribute.field,
        lambda: converter(attribute.field, runtime.registry.kinds, form),
    )  # fmt: skip
    stored = orjson.loads(orjson.dumps(outer(before[attribute.name]), option=JSON_OPTIONS))
    return merge(_present(stored) if attribute.field.type == "object" else stored, patch)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _present(value: Any) -> Any:
    """A typed object without the members that were never set, which are answered as null."""
    if isinstance(value, Mapping):
        return {key: _present(item) for key, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list) else value


def _untouched(value: Any, before: Any, patch: Any) -> Any:
    """The loaded value with the members that the patch does not name as they were: no outer form rounds them."""
    if not all(isinstance(item, Mapping) for item in (value, before, patch)):
        return value
    kept = {key: item for key, item in before.items() if key not in patch}
    changed = {key: _untouched(value[key], before.get(key), patch[key]) for key in value if key in patch}
    return {**kept, **changed}
