"""The query string of a list, parsed against what the resource declares. Everything else is refused, all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from host.compiler.expressions import Scope, any_of
from host.compiler.models import Attribute
from host.compiler.wires import CompiledWire
from host.declaration.nodes import AnyOf
from host.declaration.problems import did_you_mean
from host.errors import FieldError, Invalid
from host.fields.kinds import Kinds
from host.query.operands import operand, sound
from host.query.search import MOST_TERMS, RANK, Sought, Term, phrase_of, searched_letters, terms_of

RESERVED = ("sort", "fields", "expand", "q", "count", "cursor", "page", "page_size")
BY_OFFSET = ("limit", "offset")  # where the wire pages so
MOST_WORDS = 10  # of one search
LONGEST_SEARCH = 200  # characters
MOST_PARAMETERS = 500
MOST_PAGES = 10_000
MOST_BEFORE = 1_000_000  # rows that an offset passes over
_FORM = re.compile(r"([^\[\]]+)(?:\[(\w+)\])?")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one attribute; `value` is native, a tuple for `in`, a boolean for `null`.

    `relations` lead to the row that has the attribute, if it is not the listed one.
    """

    attribute: Attribute
    operator: str
    value: Any
    relations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One step of the order."""

    attribute: Attribute
    is_descending: bool


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a caller asks of a list, checked."""

    filters: tuple[Filter, ...] = ()
    order: tuple[Order, ...] = ()
    words: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()  # the fields to look for them in
    sought: Sought | None = None  # what is looked for in the index of words
    fields: tuple[str, ...] | None = None  # outer names
    expand: tuple[str, ...] = ()
    size: int = 50
    page: int | None = None
    offset: int = 0
    has_total: bool = False


def is_readable(rule: AnyOf, scope: Scope) -> bool:
    """Whether the actor may read a value in every row: what may be hidden could be found out by asking for it."""
    return not rule or scope.facts.is_system or any_of(rule, scope) is True


class QueryParser:
    """Parses for one wire and one actor's facts: fields the actor may not read do not exist here either."""

    def __init__(self, wire: CompiledWire, kinds: Kinds, scope: Scope) -> None:
        self.wire, self.kinds, self.scope = wire, kinds, scope
        self.model, self.query = wire.model, wire.model.declared.query
        self.searching = {
            name: it.operator for name, it in wire.declared.parameters.items() if it.field is None
        }
        rules = ((name, self.model.attributes[name].field.read) for name in self.query.search.names)
        self.searched = tuple(name for name, rule in rules if is_readable(rule, scope))
        self.terms: list[Term] | None = None
        self.errors: list[FieldError] = []

    def parse(self, raw: str, allowed: tuple[str, ...] | None = None) -> ListQuery:
        """The checked query, or Invalid with every problem; `allowed` narrows it to these parameters."""
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict")
        except ValueError:
            raise Invalid.at("", "query", "the query string cannot be read") from None
        given: dict[str, str] = {}
        filters: list[Filter] = []
        words: list[str] = []
        reserved = self._reserved()
        for name, text in pairs:
            if name in given:
                self._wrong(name, "repeated", "given twice")
            given[name] = text
            if name == "cursor":  # the one that counts has been taken out before
                self._wrong(name, "repeated", "given twice, or in another spelling")
            if allowed is not None and name not in allowed:
                self._wrong(name, "unknown", f"takes {', '.join(allowed)}{did_you_mean(name, allowed)}")
            elif name == "q" or name in self.searching:
                words += self._words(name, text)
            elif name not in reserved:
                self._filter(name, text, filters)
        found = self._build(given, filters, tuple(words))
        if self.errors:
            raise Invalid("the query is not valid", self.errors)
        return found

    def order(self, names: tuple[str, ...]) -> tuple[Order, ...]:
        """A declared order, completed by the key so that it is total."""
        steps = [Order(self.model.attributes[name.lstrip("-")], name.startswith("-")) for name in names]
        return self._completed(steps)

    def _build(self, given: Mapping[str, str], filters: list[Filter], words: tuple[str, ...]) -> ListQuery:
        numbered, by_offset = (self.wire.declared.list.pages == way for way in ("number", "offset"))
        sought, is_sorted = self._sought(), "sort" in given or self.wire.declared.list.sort
        rank = [Order(RANK, True)] if sought is not None and sought.is_ranked and not is_sorted else []
        return ListQuery(
            filters=tuple(filters),
            order=(*rank, *self._sort(given.get("sort"))),
            words=words,
            searched=self.searched if words else (),
            sought=sought,
            fields=self._names("fields", given.get("fields"), self.wire.keys),
            expand=self._expand(given.get("expand")),
            size=self._size(given, "limit" if by_offset and "limit" in given else "page_size"),
            offset=self._offset(given.get("offset")) if by_offset else 0,
            page=self._page(given.get("page"), numbered),
            has_total=self._count(given.get("count")) or numbered,
        )

    def _wrong(self, name: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(name, code, detail))

    # -- filters --

    def _filter(self, name: str, text: str, filters: list[Filter]) -> None:
        if not text and self.wire.declared.values.blank == "none":
            return  # an empty field of a form asks for nothing
        declared = self.wire.declared.parameters.get(name)
        operator: str
        attribute: Attribute | None
        if declared is not None and declared.field is not None:
            steps = tuple(declared.field.split("."))
            relations, operator, attribute = steps[:-1], declared.operator, self._end(steps)
        else:
            match = _FORM.fullmatch(name)
            outer, operator = (match[1], match[2] or "eq") if match else (name, "eq")
            relations, attribute = (), self._readable(outer, self.query.filter)
        if attribute is None:
            known = [self.wire.outer[item] for item in self.query.filter if item in self.wire.outer]
            hint = did_you_mean(name, [*known, *self.wire.declared.parameters, *self._reserved()])
            self._wrong(name, "unknown", f"cannot be filtered by{'' if declared else hint}")
            return
        allowed = self.kinds[attribute.field.type].operators
        if operator not in allowed:
            self._wrong(name, "operator", f"takes {', '.join(allowed)}")
            return
        try:
            filters.append(
                Filter(
                    attribute, operator, operand(self.kinds, self.wire, attribute, operator, text), relations
                )
            )
        except ValueError as error:
            self._wrong(name, "value", f"expected {error}")

    def _readable(self, outer: str, allowed: tuple[str, ...]) -> Attribute | None:
        inner = self.wire.inner.get(outer)
        if inner is None or inner not in allowed:
            return None
        attribute = self.model.attributes[inner]
        return attribute if is_readable(attribute.field.read, self.scope) else None

    def _end(self, steps: tuple[str, ...]) -> Attribute | None:
        """The attribute at the end of a declared path, if the actor may read every step of it."""
        scope = self.scope
        for step in steps[:-1]:
            attribute = scope.attribute(step)
            if attribute.relation is None or not is_readable(attribute.field.read, scope):
                return None
            model = scope.models[attribute.relation.to]
            scope = replace(scope, model=model, plugin=model.plugin)
        attribute = scope.attribute(steps[-1])
        return attribute if is_readable(attribute.field.read, scope) else None

    # -- order, fields, expand, search --

    def _sort(self, text: str | None) -> tuple[Order, ...]:
        if text is None:
            return self.order(self.wire.declared.list.sort or self.query.default_sort)
        steps: list[Order] = []
        for part in text.split(","):
            attribute = self._readable(part.lstrip("-"), self.query.sort)
            if attribute is None or part.startswith("--"):
                known = [self.wire.outer[item] for item in self.query.sort if item in self.wire.outer]
                self._wrong(
                    "sort",
                    "unknown",
                    f'cannot be sorted by "{part[:60]}"{did_you_mean(part.lstrip("-"), known)}',
                )
            elif attribute not in [step.attribute for step in steps]:  # a second time it changes nothing
                steps.append(Order(attribute, part.startswith("-")))
        return self._completed(steps)

    def _completed(self, steps: list[Order]) -> tuple[Order, ...]:
        descending = steps[-1].is_descending if steps else False
        present = {step.attribute.name for step in steps}
        return (*steps, *(Order(key, descending) for key in self.model.keys if key.name not in present))

    def _names(self, parameter: str, text: str | None, known: Sequence[str]) -> tuple[str, ...] | None:
        if text is None:
            return None
        names = tuple(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in known:
                self._wrong(parameter, "unknown", f'nobody declared "{name[:60]}"{did_you_mean(name, known)}')
        return names

    def _expand(self, text: str | None) -> tuple[str, ...]:
        relations = self.model.declared.relations
        readable = [name for name in self.query.expand if is_readable(relations[name].read, self.scope)]
        known = [self.wire.outer.get(name, name) for name in readable]
        names = self._names("expand", text, known) or ()
        return tuple(self.wire.inner.get(name, name) for name in names)

    def _words(self, name: str, text: str) -> list[str]:
        """What is searched for: the words of a text, or it as a whole where the parameter is declared so."""
        if not self.searched:
            self._wrong(name, "unknown", "this list cannot be searched")
        try:
            said = sound(text).lower()
        except ValueError as error:
            self._wrong(name, "value", f"expected {error}")
            return []
        if self.model.search is not None:
            self._terms(name, text)
            return []
        words = [said.strip()] if self.searching.get(name) == "phrase" else said.split()
        if len(words) > MOST_WORDS or len(text) > LONGEST_SEARCH:
            self._wrong(name, "too_long", f"at most {MOST_WORDS} words and {LONGEST_SEARCH} characters")
        return [word for word in words if word][:MOST_WORDS]

    def _terms(self, name: str, text: str) -> None:
        """What is searched for in the index of words; nothing, where nothing is said."""
        terms = phrase_of(text) if self.searching.get(name) == "phrase" else terms_of(text)
        if len(terms) > MOST_TERMS or len(text) > LONGEST_SEARCH:
            self._wrong(name, "too_long", f"at most {MOST_TERMS} words and {LONGEST_SEARCH} characters")
        elif text.strip():
            self.terms = [*(self.terms or ()), *terms]

    def _sought(self) -> Sought | None:
        index = self.model.search
        if index is None or self.terms is None:
            return None
        return Sought(tuple(self.terms), searched_letters(index, self.searched))

    # -- pages --

    def _reserved(self) -> tuple[str, ...]:
        """What lists of this wire are asked for beside filters."""
        return (*RESERVED, *BY_OFFSET) if self.wire.declared.list.pages == "offset" else RESERVED

    def _offset(self, text: str | None) -> int:
        if text is None:
            return 0
        if re.fullmatch(r"[0-9]{1,7}", text) is None or int(text) > MOST_BEFORE:
            self._wrong("offset", "range", f"a whole number from 0 to {MOST_BEFORE}")
            return 0
        return int(text)

    def _size(self, given: Mapping[str, str], name: str) -> int:
        unpaged, page = self.wire.declared.page.unpaged, self.query.page
        text = given.get(name)
        if text is None:
            return unpaged or page.default
        if re.fullmatch(r"[0-9]{1,6}", text) is None or not 1 <= int(text) <= (unpaged or page.max):
            self._wrong(name, "range", f"a whole number from 1 to {unpaged or page.max}")
            return page.default
        return int(text)

    def _page(self, text: str | None, numbered: bool) -> int | None:
        if text is None:
            return 1 if numbered else None
        if not numbered:
            self._wrong("page", "unknown", "this list is paged by cursor: follow `next`")
        elif re.fullmatch(r"[0-9]{1,5}", text) is None or not 1 <= int(text) <= MOST_PAGES:
            self._wrong("page", "range", f"a whole number from 1 to {MOST_PAGES}")
        else:
            return int(text)
        return None

    def _count(self, text: str | None) -> bool:
        if text not in (None, "exact", "none"):
            self._wrong("count", "value", "expected exact or none")
        return text == "exact"
