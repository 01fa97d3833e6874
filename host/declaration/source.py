"""The strict reader: bytes of one YAML file to plain values, each with its line and column.

It is YAML 1.2 core without anchors, aliases, tags, merge keys and directives, bounded in size, depth and number
of values. It works on the parser's events, so that a file can neither explode nor recurse before it is refused.
The binder takes what it answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from host.declaration.problems import Code, Place, Problems
from host.declaration.scalars import Ambiguous, NotANumber, resolve

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000

_NOTHING: Mapping[str, Place] = MappingProxyType({})
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# libyaml when PyYAML was built with it, seven times as fast as the pure parser.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Source:
    """The plain value of one file and the place of everything in it."""

    value: Any  # whatever the file holds: mappings, lists, texts, numbers, booleans, None
    place: Place


class _Refused(Exception):
    """The file cannot be read on; the problem has been noted."""


def read(data: bytes, file: str, problems: Problems) -> Source | None:
    """Read one file; None when it could not be read at all. `file` is its name in messages."""
    start = Place(file, 1, 1)
    if len(data) > MAX_BYTES:
        problems.add("yaml_too_large", start, "", f"the file is larger than {MAX_BYTES >> 20} MiB")
        return None
    text = _decode(data, start, problems)
    if text is None:
        return None
    try:
        return _Reader(_Loader(text), file, problems).document()
    except yaml.MarkedYAMLError as error:
        _syntax(error, text, start, problems)
    except _Refused:
        pass
    return None


def _decode(data: bytes, start: Place, problems: Problems) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add("yaml_encoding", Place(start.file, line, 1), "", "the file is not UTF-8")
        return None
    if text.startswith("\ufeff"):
        problems.add("yaml_encoding", start, "", "the file begins with a byte order mark: remove it")
        return None
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        column = control.start() - text.rfind("\n", 0, control.start())
        message = f"the control character U+{ord(control.group()):04X} cannot stand in YAML"
        problems.add("yaml_text", Place(start.file, line, column), "", message)
        return None
    return text


def _syntax(error: yaml.MarkedYAMLError, text: str, start: Place, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    place = Place(start.file, mark.line + 1, mark.column + 1) if mark else start
    line = (text.splitlines() or [""])[min(place.line - 1, text.count("\n"))] if text else ""
    if "\t" in line[: place.column]:
        problems.add("yaml_syntax", place, "", "a tab cannot indent: use spaces")
        return
    message = ", ".join(part for part in (error.context, error.problem) if part)
    problems.add("yaml_syntax", place, "", f"this is not YAML: {message}")


class _Reader:
    """Consumes the events of one parser; lives for one file."""

    def __init__(self, parser: Any, file: str, problems: Problems) -> None:
        self._next = parser.get_event
        self._file = file
        self._problems = problems
        self._nodes = 0

    def document(self) -> Source | None:
        """The one document of the file."""
        self._next()  # the start of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._problems.add("yaml_empty", Place(self._file, 1, 1), "", "the file is empty")
            return None
        if event.version or event.tags:
            self._note("yaml_directive", event, "directives (%…) are not part of the language")
        value, place = self._value(self._next(), 0)
        self._next()  # the end of the document
        event = self._next()
        if isinstance(event, yaml.DocumentStartEvent):
            self._note("yaml_documents", event, "one file is one document: this starts another")
        if value is None:
            self._problems.add("yaml_empty", place, "", "the file is empty")
            return None
        return Source(value, place)

    def _value(self, event: Any, depth: int) -> tuple[Any, Place]:
        mark = event.start_mark
        place = Place(self._file, mark.line + 1, mark.column + 1, _NOTHING, _NOTHING)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse("yaml_nodes", event, f"more than {MAX_NODES} values in one file")
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._check_bare(event)
            return self._scalar(event), place
        if depth >= MAX_DEPTH:
            self._refuse("yaml_depth", event, f"nested more than {MAX_DEPTH} deep")
        if kind is yaml.AliasEvent:
            self._note("yaml_anchor", event, "aliases (*name) are not part of the language")
            return None, place
        self._check_bare(event)
        return self._mapping(place, depth) if kind is yaml.MappingStartEvent else self._list(place, depth)

    def _mapping(self, place: Place, depth: int) -> tuple[dict[str, Any], Place]:
        values: dict[str, Any] = {}
        keys: dict[str, Place] = {}
        names: dict[str, Place] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key, at = self._value(event, depth + 1)
            is_key = self._check_key(key, at, names, event)
            value, below = self._value(self._next(), depth + 1)
            if is_key:
                values[key], keys[key], names[key] = value, below, at
        return values, Place(place.file, place.line, place.column, keys, names)

    def _check_key(self, key: object, at: Place, names: Mapping[str, Place], event: Any) -> bool:
        if not isinstance(key, str):
            self._problems.add("yaml_key", at, "", "a key has to be a text: quote it")
            return False
        if key == "<<" and event.implicit[0]:
            self._problems.add("yaml_merge", at, "", "merge keys (<<) are not part of the language")
            return False
        if key in names:
            message = f'the key "{key}" stands here twice, first in line {names[key].line}'
            self._problems.add("yaml_duplicate", at, "", message)
            return False
        return True

    def _list(self, place: Place, depth: int) -> tuple[list[Any], Place]:
        values: list[Any] = []
        keys: dict[str, Place] = {}
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            value, below = self._value(event, depth + 1)
            keys[str(len(values))] = below
            values.append(value)
        return values, Place(place.file, place.line, place.column, keys, _NOTHING)

    def _scalar(self, event: Any) -> Any:  # null, boolean, number or text
        if not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except Ambiguous:
            message = f"`{event.value}` means different things in different versions of YAML: quote it"
            self._note("yaml_quote", event, message)
        except NotANumber:
            self._note("yaml_number", event, f"`{event.value[:20]}` is not a number that JSON can carry")
            return 0
        return str(event.value)

    def _check_bare(self, event: Any) -> None:
        if event.anchor is not None:
            self._note("yaml_anchor", event, f"anchors (&{event.anchor}) are not part of the language")
        if event.tag is not None:
            self._note("yaml_tag", event, f"tags ({event.tag}) are not part of the language")

    def _note(self, code: Code, event: Any, message: str) -> None:
        mark = event.start_mark
        self._problems.add(code, Place(self._file, mark.line + 1, mark.column + 1), "", message)

    def _refuse(self, code: Code, event: Any, message: str) -> None:
        self._note(code, event, message)
        raise _Refused
