"""The compiled readers and the documented schemas agree: on keys, on null, and on the form of every value."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from host.access import facts_of
from host.actor import SYSTEM
from host.compiler.answers import Answered, answer_schema
from host.compiler.readers import Row
from host.testing.conforming import Conforming
from host.web.http import JSON_OPTIONS


def assert_agreement(conforming: Conforming, keys: tuple[Any, ...]) -> None:
    """Read a row as its wire shows it, dump its native values through the marshmallow schema, and compare."""
    runtime, wire = conforming.site.runtime, conforming.wire
    facts = facts_of(SYSTEM)
    with runtime.reading(SYSTEM, plugin=wire.model.plugin) as ctx:
        shown = runtime.plans.row(wire, facts).fetch(ctx.transaction.driver, keys, ctx.values)
        native = runtime.plans.row(wire.model, facts).fetch(ctx.transaction.driver, keys, ctx.values)
        assert shown is not None and native is not None
        answered: Row = orjson.loads(orjson.dumps(shown.row(), option=JSON_OPTIONS))
        values = native.row()
    schema = answer_schema(wire, runtime.registry.kinds, _scope(conforming))
    assert list(answered) == [field.data_key or name for name, field in schema.fields.items()]
    for key, field in schema.fields.items():
        assert isinstance(field, Answered)
        assert answered[key] is not None or field.allow_none or field.output.value is None, key
        if field.output.made is not None:  # told by more than the native value
            assert (answered[key] is None) == (values.get(field.attribute or "") is None), key
            continue
        if field.attribute in values and key not in (*wire.declared.through, *wire.declared.embed):
            assert _same(field, answered[key], _plain(field, values[field.attribute])), key


def _same(field: Answered, left: Any, right: Any) -> bool:
    """Whether two values are equal; an instant may be written with and without its zero microseconds."""
    if field.output.field.type == "datetime" and isinstance(left, str) and isinstance(right, str):
        return datetime.fromisoformat(left) == datetime.fromisoformat(right)
    return bool(left == right)


def _scope(conforming: Conforming) -> Any:
    return conforming.site.runtime.policy.scope(conforming.model, facts_of(SYSTEM))


def _plain(field: Answered, value: Any) -> Any:
    return orjson.loads(
        orjson.dumps(field.serialize("value", {field.attribute or "value": value}), option=JSON_OPTIONS)
    )
