"""The binder: positioned YAML to the frozen nodes of the grammar, by nothing but their annotations.

It knows no construct of the language by name except that mixins may be written as a list. Everything wrong is noted and
replaced by a default or a placeholder, so that one mistake is one problem and the linker can still look at the rest.
`reader` calls it for each file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from host.declaration import nodes
from host.declaration.forms import FORMS
from host.declaration.problems import Place, Problems, did_you_mean
from host.declaration.shapes import (
    INVALID,
    Shape,
    anything,
    formed,
    listed,
    mapped,
    mismatch,
    one_of,
    optional,
    plain,
    word_or_list,
)
from host.declaration.source import Source

T = TypeVar("T", bound=nodes.Node)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a construct, as YAML writes it (`outer`) and as the node calls it (`attribute`)."""

    outer: str
    attribute: str
    shape: Shape
    is_required: bool
    is_flat: bool
    placeholder: object


@dataclass(frozen=True, slots=True)
class Plan:
    """How mappings become nodes of one class."""

    kind: type[nodes.Node]
    short: str | None
    keys: Mapping[str, Key]
    required: tuple[Key, ...]


def bind(kind: type[T], source: Source, problems: Problems) -> T | None:
    """A whole file as a node of `kind`; None when nothing of it could be used."""
    bound = _node(plan(kind), source.value, source.place, "", problems)
    return None if bound is INVALID else bound


def plan(kind: type[nodes.Node]) -> Plan:
    """The plan of one class of the grammar; made when it is first needed."""
    return _plan(kind)  # type: ignore[arg-type]  # mypy takes the class for one of its instances


@cache
def _plan(kind: type[nodes.Node]) -> Plan:
    hints = get_type_hints(kind)
    keys = [_key(it, hints[it.name]) for it in dataclasses.fields(kind) if "doc" in it.metadata]
    return Plan(
        kind, kind.SHORT, {key.outer: key for key in keys}, tuple(key for key in keys if key.is_required)
    )


def _key(field: dataclasses.Field[Any], hint: Any) -> Key:
    missing = dataclasses.MISSING
    is_required = field.default is missing and field.default_factory is missing
    return Key(
        outer=field.metadata.get("alias", field.name),
        attribute=field.name,
        shape=shape_of(hint),
        is_required=is_required,
        is_flat=bool(field.metadata.get("flat")),
        placeholder=_placeholder(hint),
    )


def _placeholder(hint: Any) -> object:
    """What stands for a required value that is missing or wrong; the linker passes over it."""
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) is tuple:
        return ()
    return "" if hint is str or hint in FORMS else INVALID


def shape_of(hint: Any) -> Shape:  # hints are types, aliases and special forms
    """The shape of an annotation of the grammar."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return anything
    if hint in (str, int, bool):
        return plain(hint)
    if hint in FORMS:
        return formed(FORMS[hint], reserves=hint is nodes.Name)
    if origin is Literal:
        return one_of(arguments)
    if origin is tuple:
        return listed(shape_of(arguments[0]))
    if origin in (Union, UnionType):
        return _union([it for it in arguments if it is not NoneType], has_none=NoneType in arguments)
    if origin is not None and issubclass(origin, Mapping):
        return mapped(shape_of(arguments[0]), shape_of(arguments[1]))
    return _nested(hint)


def _union(members: list[Any], *, has_none: bool) -> Shape:
    if len(members) == 2:
        return word_or_list(shape_of(members[0]), shape_of(members[1]))
    # A key of a nested construct with nothing behind it is a slip, not a choice.
    is_node = isinstance(members[0], type) and issubclass(members[0], nodes.Node)
    return optional(shape_of(members[0])) if has_none and not is_node else shape_of(members[0])


def _nested(kind: type[nodes.Node]) -> Shape:
    if kind is nodes.Mixins:
        return _mixins

    def bind(value: Any, place: Place, path: str, problems: Problems) -> Any:
        return _node(plan(kind), value, place, path, problems)  # later, because fields contain fields

    return bind


def _node(plan: Plan, value: Any, place: Place, path: str, problems: Problems) -> Any:
    if type(value) is not dict:
        if plan.short is None or value is None:
            return mismatch("a mapping", value, place, path, problems)
        return _short(plan, value, place, path, problems)
    known: dict[str, Any] = {"place": place}
    for outer, below in value.items():
        key = plan.keys.get(outer)
        if key is None:
            message = f'unknown key "{outer}"{did_you_mean(outer, plan.keys)}'
            problems.add("unknown_key", place.names[outer], path, message)
            continue
        inner = "" if key.is_flat else f"{path}.{outer}" if path else outer
        bound = key.shape(below, place.keys[outer], inner, problems)
        if bound is not INVALID:
            known[key.attribute] = bound
        elif key.is_required:
            known[key.attribute] = key.placeholder
    return _complete(plan, known, place, path, problems)


def _short(plan: Plan, value: Any, place: Place, path: str, problems: Problems) -> Any:
    key = next(key for key in plan.keys.values() if key.attribute == plan.short)
    bound = key.shape(value, place, path, problems)
    known: dict[str, Any] = {"place": place}
    if bound is not INVALID or key.is_required:
        known[key.attribute] = key.placeholder if bound is INVALID else bound
    return _complete(plan, known, place, path, problems)


def _complete(plan: Plan, known: dict[str, Any], place: Place, path: str, problems: Problems) -> Any:
    for key in plan.required:
        if key.attribute not in known:
            problems.add("missing_key", place, path, f'the key "{key.outer}" is missing')
            known[key.attribute] = key.placeholder
        if known[key.attribute] is INVALID:
            return INVALID
    return plan.kind(**known)


def _mixins(value: Any, place: Place, path: str, problems: Problems) -> Any:
    """Mixins come as a list of names, of `{name: parameters}`, or as a mapping; the first two are turned into the last."""
    if type(value) is str:
        value, place = [value], Place(place.file, place.line, place.column, {"0": place})
    values: dict[str, Any] = {}
    keys: dict[str, Place] = {}
    names: dict[str, Place] = {}
    for entry, at in _entries(value, place):
        if not isinstance(entry, (str, dict)):
            mismatch("a mixin's name", entry, at, path, problems)
            continue
        for name, below in entry.items() if isinstance(entry, dict) else [(entry, {})]:
            values[name] = {} if below is None else below
            keys[name], names[name] = at.keys.get(name, at), at.names.get(name, at)
    whole = Place(place.file, place.line, place.column, keys, names)
    return _node(plan(nodes.Mixins), values, whole, path, problems)


def _entries(value: Any, place: Place) -> list[tuple[Any, Place]]:
    if type(value) is list:
        return [(entry, place.keys[str(at)]) for at, entry in enumerate(value)]
    return [(value, place)]
