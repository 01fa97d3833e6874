"""What a list can be asked for, and what is unique, indexed, counted and checked: fields named there exist and fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from host.declaration.keys import attributes, key_fields
from host.declaration.nodes import AnyOf, Field, Name, Query, Relation, Resource, SortRef, Unique
from host.declaration.problems import Code, Place, did_you_mean
from host.declaration.workspace import Workspace, short

# `?sort=` and its like mean something to every list; a filter of that name could never be asked for.
PARAMETERS: Final = frozenset(
    ("sort", "fields", "expand", "q", "cursor", "count", "page", "page_size", "limit", "offset")
)

Attribute = Field | Relation
Judge = Callable[[Workspace, Attribute], str | None]


def link_query(workspace: Workspace, name: str) -> None:
    """Check the query of a resource, its unique groups and indexes; fill in the order of its lists."""
    resource = workspace.resources[name]
    _check_query(workspace, resource, short(name))
    _check_groups(workspace, resource, short(name))
    _check_counters(workspace, resource, short(name))
    query = resource.query
    order = query.default_sort or tuple(SortRef(key) for key in key_fields(resource))
    workspace.resources[name] = replace(resource, query=replace(query, default_sort=order))


def _check_query(ws: Workspace, resource: Resource, bare: str) -> None:
    query = resource.query
    lists: list[tuple[str, tuple[str, ...], Code, Judge]] = [
        ("filter", query.filter, "not_filterable", filter_fault),
        ("sort", query.sort, "not_sortable", sort_fault),
        ("default_sort", query.default_sort, "not_sortable", order_fault),
    ]
    for key, names, code, judge in lists:
        for at, reference in enumerate(names):
            place = query.place.of(key, at)
            _check_reference(ws, resource, reference, place, f"{bare}.query.{key}", code, judge)
    for at, reference in enumerate(query.filter):
        if reference in PARAMETERS:
            message = f'"{reference}" is a query parameter of every list and cannot be filtered by'
            ws.problems.add("query_name", query.place.of("filter", at), f"{bare}.query.filter", message)
    _check_search(ws, resource, bare)
    _check_expand(ws, resource, query, bare)
    if not 1 <= query.page.default <= query.page.max <= 1000:
        place = query.page.place if query.page.place.line else query.place
        message = "a page has 1 to 1000 rows, and `default` is not above `max`"
        ws.problems.add("page", place, f"{bare}.query.page", message)


def _check_reference(
    ws: Workspace, resource: Resource, reference: str, place: Place, path: str, code: Code, judge: Judge
) -> None:
    known = attributes(resource)
    bare = reference.removeprefix("-")
    attribute = known.get(bare)
    if attribute is None:
        message = f'there is no field "{bare}"{did_you_mean(bare, known)}'
        ws.problems.add("unknown_field", place, path, message)
    elif why := judge(ws, attribute):
        ws.problems.add(code, place, path, f'"{bare}" {why}')


def _check_search(ws: Workspace, resource: Resource, bare: str) -> None:
    search, path = resource.query.search, f"{bare}.query.search"
    place = search.place if search.place.line else resource.query.place
    for at, name in enumerate(search.texts):
        where = place.of("texts", at) if "texts" in place.keys else place.of(at)
        _check_reference(ws, resource, name, where, path, "not_searchable", _search_fault)
    rules: dict[str, AnyOf] = {}
    for name, letter in search.fields.items():
        where, before = place.of("fields").name(name), len(ws.problems)
        _check_reference(ws, resource, name, where, path, "not_searchable", _search_fault)
        if len(ws.problems) == before and rules.setdefault(letter, resource.fields[Name(name)].read) != (
            resource.fields[Name(name)].read
        ):
            message = f'"{name}" has another `read` rule than the other fields of weight {letter}: give it a weight of its own'
            ws.problems.add("not_searchable", where, path, message)
    if search.texts and search.fields:
        ws.problems.add("conflict", place, path, "either `texts` or `fields` are searched")


def _check_expand(ws: Workspace, resource: Resource, query: Query, bare: str) -> None:
    for at, name in enumerate(query.expand):
        if name not in resource.relations:
            message = f'there is no relation "{name}"{did_you_mean(name, resource.relations)}'
            ws.problems.add("unknown_relation", query.place.of("expand", at), f"{bare}.query.expand", message)


def _check_groups(ws: Workspace, resource: Resource, bare: str) -> None:
    for at, unique in enumerate(resource.unique):
        path = f"{bare}.unique[{at}]"
        for number, reference in enumerate(unique.fields):
            place = unique.place.of("fields").of(number)
            _check_reference(ws, resource, reference, place, path, "not_unique", _index_fault)
        _check_lower(ws, resource, unique, path)
        _check_unordered(ws, resource, unique, path)
        if not unique.fields:
            ws.problems.add("not_unique", unique.place, path, "at least one field is unique")
    for at, index in enumerate(resource.indexes):
        for number, sort in enumerate(index.fields):
            place = index.place.of("fields").of(number)
            _check_reference(ws, resource, sort, place, f"{bare}.indexes[{at}]", "not_unique", _index_fault)
    for at, check in enumerate(resource.checks):
        if check.at and check.at not in attributes(resource):
            message = f'there is no field "{check.at}"{did_you_mean(check.at, attributes(resource))}'
            ws.problems.add("unknown_field", check.place.of("at"), f"{bare}.checks[{at}]", message)


def _check_counters(ws: Workspace, resource: Resource, bare: str) -> None:
    for name, field in resource.fields.items():
        if field.counter and field.counter.per:
            place, path = field.counter.place.of("per"), f"{bare}.fields.{name}.counter"
            _check_reference(ws, resource, field.counter.per, place, path, "counter", _index_fault)


def _check_lower(ws: Workspace, resource: Resource, unique: Unique, path: str) -> None:
    known = attributes(resource)
    for at, name in enumerate(unique.lower):
        attribute = known.get(name)
        is_text = isinstance(attribute, Field) and _is_text(ws, attribute)
        if name not in unique.fields or not is_text:
            message = f'"{name}" is not a text among the unique fields'
            ws.problems.add("not_unique", unique.place.of("lower", at), path, message)


def _check_unordered(ws: Workspace, resource: Resource, unique: Unique, path: str) -> None:
    if not unique.unordered:
        return
    place, known = unique.place.of("unordered"), attributes(resource)
    pair = [known.get(name) for name in unique.unordered]
    kinds = {(it.to, it.by) if isinstance(it, Relation) else it.type for it in pair if it is not None}
    if len(pair) != 2 or not set(unique.unordered) <= set(unique.fields) or len(kinds) != 1:
        ws.problems.add("not_unique", place, path, "`unordered` names two of the unique fields, of one kind")
    elif any(it is not None and not it.required for it in pair):
        ws.problems.add("not_unique", place, path, "fields of an `unordered` pair are `required`")


# --- what is wrong with a field for a purpose; each answers the end of a sentence or None ------------------------------


def _stored_fault(attribute: Attribute) -> str | None:
    if isinstance(attribute, Relation):
        return "is a relation to many rows" if attribute.many else None
    if attribute.transient:
        return "is never stored"
    return "is a secret" if attribute.secret else None


def filter_fault(ws: Workspace, attribute: Attribute) -> str | None:
    """Why lists cannot be filtered by a field, as the end of a sentence."""
    if why := _stored_fault(attribute):
        return why
    if isinstance(attribute, Field):
        if attribute.rollup:
            return "is a roll-up and cannot be filtered by"
        if not _is_scalar(ws, attribute):
            return f"is a {attribute.type} and cannot be filtered by"
    return None


def sort_fault(ws: Workspace, attribute: Attribute) -> str | None:
    """Why lists cannot be sorted by a field, as the end of a sentence."""
    if why := _stored_fault(attribute):
        return why
    if isinstance(attribute, Relation):
        return "is a relation and has no order"
    if attribute.rollup:
        return "is a roll-up and cannot be sorted by"
    return None if _is_scalar(ws, attribute) else f"is a {attribute.type} and has no order"


def order_fault(ws: Workspace, attribute: Attribute) -> str | None:
    """Why lists cannot have this order for everybody, as the end of a sentence."""
    # Whoever may not read a value could find it out by looking at the order.
    return "is not read by everyone: it has a `read` rule" if attribute.read else sort_fault(ws, attribute)


def comparison_fault(ws: Workspace, attribute: Attribute, operator: str) -> str | None:
    """Why a filter cannot compare it so."""
    words = ws.vocabulary.types.get(attribute.type) if isinstance(attribute, Field) else None
    if operator in ("gt", "gte", "lt", "lte") and (words is None or not words.ordered or words.text):
        return "has no order to be compared by"
    if operator in ("contains", "starts") and (words is None or not words.text):
        return "is no text"
    return None


def _search_fault(ws: Workspace, attribute: Attribute) -> str | None:
    if why := _stored_fault(attribute):
        return why
    if (
        isinstance(attribute, Field)
        and _is_text(ws, attribute)
        and not (attribute.computed or attribute.rollup)
    ):
        return None
    return "is not a stored text"


def _index_fault(ws: Workspace, attribute: Attribute) -> str | None:
    if isinstance(attribute, Field) and attribute.secret:
        return None  # a secret is never shown, but may well be unique
    if why := _stored_fault(attribute):
        return why
    if isinstance(attribute, Field):
        if attribute.computed or attribute.rollup:
            return "is computed and has no column"
        if not _is_scalar(ws, attribute):
            return f"is a {attribute.type} and cannot be unique or indexed"
    return None


def _is_scalar(ws: Workspace, field: Field) -> bool:
    words = ws.vocabulary.types.get(field.type)
    return words is None or words.scalar


def _is_text(ws: Workspace, field: Field) -> bool:
    words = ws.vocabulary.types.get(field.type)
    return words is None or words.text
