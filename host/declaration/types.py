"""Types of fields: named types are resolved into what they stand for, and constraints have to fit the type.

A linked `Field` has a field type (never a named one) in `type`, what its named type declared is merged into it, and
`named` says which it was. In `out` a resource's qualified name, `none`, `file` and `stream` stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from host.declaration import values
from host.declaration.nodes import Field, TypeNode, TypeRef
from host.declaration.problems import did_you_mean
from host.declaration.workspace import Workspace

# Where a field stands decides which of its keys mean something there.
# `part` is inside `out`.
Use = Literal["stored", "value", "setting", "out", "part"]

CONSTRAINTS: Final = (
    "min", "max", "pattern", "values", "of", "fields", "digits", "places", "trim", "types", "folder", "variants", "links",
)  # fmt: skip
STORED_ONLY: Final = (
    "set", "read", "write", "transient", "computed", "rollup", "counter", "random", "unique", "column", "was", "mirror",
)  # fmt: skip
OUT_WORDS: Final = ("none", "file", "stream")
_INHERITED: Final = (*CONSTRAINTS, "default", "doc", "example", "nullable")
_BLANK: Final = Field(type=TypeRef("string"))


def link_types(workspace: Workspace) -> None:
    """Resolve every named type itself."""
    for name in list(workspace.types):
        _named(workspace, name, ())


def link_field(workspace: Workspace, field: Field, plugin: str, path: str, use: Use) -> Field:
    """A field with its type resolved and its constraints checked."""
    return _field(workspace, field, plugin, path, use, ())


def is_written(field: Field, key: str) -> bool:
    """Whether YAML says something at this key of a field."""
    return key in field.place.keys or getattr(field, key) != getattr(_BLANK, key)


def _field(ws: Workspace, field: Field, plugin: str, path: str, use: Use, inside: tuple[str, ...]) -> Field:
    if not field.type:
        return field
    _check_use(ws, field, path, use)
    resolved = _base(ws, field, plugin, path, use, inside)
    if resolved is None:
        return replace(field, type=TypeRef(""))
    nested: Use = "part" if use in ("out", "part") else "value"
    if field.of is not None:
        of = _field(ws, field.of, plugin, f"{path}.of", nested, inside)
        resolved = replace(resolved, of=of)
    if field.fields:
        fields = {
            name: _field(ws, it, plugin, f"{path}.fields.{name}", nested, inside)
            for name, it in field.fields.items()
        }
        resolved = replace(resolved, fields=fields)
    if resolved.type in ws.vocabulary.types:
        check_constraints(ws, resolved, path)
    return resolved


def _check_use(ws: Workspace, field: Field, path: str, use: Use) -> None:
    refused = STORED_ONLY if use == "setting" else () if use == "stored" else (*STORED_ONLY, "secret")
    for key in refused:
        if is_written(field, key):
            where = "in a setting" if use == "setting" else "in a value that is not a resource's own field"
            ws.problems.add("out_of_place", field.place.name(key), path, f"`{key}` has no meaning {where}")


def _base(
    ws: Workspace, field: Field, plugin: str, path: str, use: Use, inside: tuple[str, ...]
) -> Field | None:
    name = field.type
    place = field.place.of("type")
    if use == "out" and name in OUT_WORDS:
        return field
    if name in ws.vocabulary.types:
        if use != "stored" and ws.vocabulary.types[name].file:
            message = "a file belongs to a row: declare it among the fields of a resource"
            ws.problems.add("out_of_place", place, _at(field, path), message)
            return None
        return field
    qualified = name if "." in name else f"{plugin}.{name}"
    if qualified in ws.types:
        if not ws.is_visible(qualified, plugin, place, _at(field, path)):
            return None
        named = _named(ws, qualified, inside)
        return None if named is None else _merged(field, named, qualified)
    if use in ("out", "part") and (qualified in ws.resources or name == "account"):
        found = ws.find_resource(name, plugin, place, path)
        return replace(field, type=TypeRef(found)) if found else None
    known = [*ws.vocabulary.types, *ws.names(ws.types, plugin)]
    if use in ("out", "part"):
        known += [*ws.names(ws.resources, plugin), *OUT_WORDS]
    ws.problems.add(
        "unknown_type", place, _at(field, path), f'unknown type "{name}"{did_you_mean(name, known)}'
    )
    return None


def _at(field: Field, path: str) -> str:
    return f"{path}.type" if "type" in field.place.keys else path


def _named(ws: Workspace, name: str, inside: tuple[str, ...]) -> TypeNode | None:
    """A named type, resolved; it is kept so on the workspace. A type may not contain itself."""
    node = ws.types[name]
    plugin, _, bare = name.partition(".")
    if name in inside:
        cycle = " → ".join((*inside[inside.index(name) :], name))
        ws.problems.add("type_cycle", node.place, f"types.{bare}", f"a type cannot contain itself: {cycle}")
        return None
    if node.named == name:
        return node
    linked = _field(ws, node, plugin, f"types.{bare}", "value", (*inside, name))
    done = TypeNode(**{**vars(linked), "named": name})
    ws.types[name] = done
    return done if done.type else None


def _merged(field: Field, named: Field, name: str) -> Field:
    inherited = {key: getattr(named, key) for key in _INHERITED if not is_written(field, key)}
    return replace(field, type=named.type, named=name, **inherited)


def check_constraints(ws: Workspace, field: Field, path: str) -> None:
    """Note constraints that the type does not take, that are missing, or that contradict each other."""
    words = ws.vocabulary.types[field.type]
    for key in CONSTRAINTS:
        if key not in words.constraints and is_written(field, key):
            message = f'`{key}` does not fit the type "{field.type}"'
            ws.problems.add("constraint", field.place.name(key), path, message)
    if words.file:
        return  # `files` checks the rest of it
    needed = {"enum": "values", "list": "of", "object": "fields"}.get(field.type)
    if needed and not getattr(field, needed):
        ws.problems.add("missing_constraint", field.place, path, f'the type "{field.type}" needs `{needed}`')
        return
    _check_form(ws, field, path)
    is_sized = words.text or field.type == "list"
    limits: dict[str, Any] = {key: getattr(field, key) for key in ("min", "max") if key in words.constraints}
    sound = {
        key: it for key, it in limits.items() if it is not None and _limit(ws, field, key, it, path, is_sized)
    }
    if len(sound) == 2 and _comparable(field, sound["min"], is_sized) > _comparable(
        field, sound["max"], is_sized
    ):
        ws.problems.add("range", field.place.of("min"), path, "`min` is greater than `max`")
        return
    for key in ("default", "example"):
        _check_value(ws, field, key, sound, path, is_sized)


def _check_form(ws: Workspace, field: Field, path: str) -> None:
    if len(set(field.values)) != len(field.values):
        ws.problems.add("conflict", field.place.of("values"), path, "a value stands twice in `values`")
    if not 1 <= field.digits <= 15:
        ws.problems.add("range", field.place.of("digits"), path, "`digits` is 1 to 15")
    elif not 0 <= field.places <= field.digits:
        ws.problems.add("range", field.place.of("places"), path, "`places` is 0 to `digits`")
    try:
        re.compile(field.pattern or "")
    except re.error as error:
        message = f"this is not a regular expression: {error}"
        ws.problems.add("pattern", field.place.of("pattern"), path, message)


def _limit(ws: Workspace, field: Field, key: str, limit: Any, path: str, is_sized: bool) -> bool:
    is_length = type(limit) is int and limit >= 0
    why = (None if is_length else "is not a length") if is_sized else values.fault(field, limit)
    if why:
        ws.problems.add("value", field.place.of(key), path, f"`{key}` {values.shown(limit)} {why}")
    return why is None


def _comparable(field: Field, limit: Any, is_sized: bool) -> Any:
    return limit if is_sized else values.compared(field, limit)


def _check_value(
    ws: Workspace, field: Field, key: str, limits: Mapping[str, Any], path: str, is_sized: bool
) -> None:
    value = getattr(field, key)
    if value is None:
        return
    why = values.fault(field, value)
    if why is None:
        measured = len(value) if is_sized else values.compared(field, value)
        if "min" in limits and measured < _comparable(field, limits["min"], is_sized):
            why = "is below `min`"
        elif "max" in limits and measured > _comparable(field, limits["max"], is_sized):
            why = "is above `max`"
        elif field.pattern and not _matches(field.pattern, value):
            why = "does not match `pattern`"
    if why:
        ws.problems.add("value", field.place.of(key), path, f"`{key}` {values.shown(value)} {why}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # noted already
        return True
