"""Where something stands in YAML, and what is wrong there. Every module of this package reports through it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

# Every kind of problem. Codes are stable: editors and CI read them from `hostwright check --json`.
Code = Literal[
    # reading
    "yaml_too_large", "yaml_encoding", "yaml_syntax", "yaml_empty", "yaml_documents", "yaml_depth", "yaml_nodes",
    "yaml_anchor", "yaml_tag", "yaml_merge", "yaml_directive", "yaml_key", "yaml_duplicate", "yaml_quote",
    "yaml_number", "yaml_text",
    # binding
    "unknown_key", "missing_key", "wrong_type", "unknown_value", "reserved_name", "bad_form",
    # plugins and settings
    "unknown_plugin", "plugin_missing", "plugin_cycle", "plugin_version", "plugin_name", "plugin_duplicate",
    "plugin_broken", "not_depended", "unknown_setting", "setting_missing", "setting_secret", "setting_value",
    # types and fields
    "unknown_type", "type_cycle", "constraint", "missing_constraint", "range", "value", "conflict", "out_of_place",
    "counter", "random", "rollup", "pattern",
    # resources
    "duplicate_name", "unknown_resource", "unknown_relation", "unknown_field", "first", "inverse", "on_delete", "same_owner",
    "match", "key", "table_claimed", "column_claimed", "was", "not_filterable", "not_sortable", "not_searchable",
    "not_unique", "identity", "query_name", "page", "no_mixin",
    # wires and paths
    "wire_twice", "unknown_wire", "wire_cycle", "unknown_operation", "outer_name", "zone", "status", "path_reserved",
    "path_claimed", "path_parameter",
    # rules and expressions
    "no_access", "expression", "unknown_name", "ambiguous_name", "not_here", "not_a_condition", "comparison",
    "arguments", "rule_cycle", "rule_example",
    # events, jobs, schedules
    "unknown_event", "unknown_job", "cron", "webhook", "log",
    # code
    "call_missing", "call_parameters",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file, with the positions of the values below it (`keys`: the value's, `names`: the key's own)."""

    file: str = ""
    line: int = 0
    column: int = 0
    keys: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    names: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def of(self, *path: str | int) -> Place:
        """The place of a value below, or the nearest one above it that is written."""
        place = self
        for key in path:
            below = place.keys.get(str(key))
            if below is None:
                return place
            place = below
        return place

    def name(self, key: str) -> Place:
        """The place of a key itself, or of the mapping where it is not written."""
        return self.names.get(key, self)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong; `path` is dotted (`invoice.fields.total.type`), `code` is stable and tested."""

    place: Place
    path: str
    code: Code
    message: str

    def __str__(self) -> str:
        subject = f" {self.path}:" if self.path else ""
        return f"{self.place}{subject} {self.message}"

    def as_dict(self) -> dict[str, object]:
        """The form of `hostwright check --json`."""
        place = self.place
        return {
            "file": place.file, "line": place.line, "column": place.column,
            "path": self.path, "code": self.code, "message": self.message,
        }  # fmt: skip


class Problems:
    """Collects what is wrong while declarations are read and linked, so that everything is told at once."""

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found = dict.fromkeys(found)

    def add(self, code: Code, place: Place, path: str, message: str) -> None:
        """Note one problem; the same one noted twice counts once."""
        self._found[Problem(place, path, code, message)] = None

    def extend(self, found: Iterable[Problem]) -> None:
        """Note problems that were found elsewhere."""
        self._found.update(dict.fromkeys(found))

    def __len__(self) -> int:
        return len(self._found)

    def has(self, place: Place) -> bool:
        """Whether something is wrong at a place."""
        return any(it.place == place for it in self._found)

    def sorted(self) -> list[Problem]:
        """All of them by file, line and column."""
        return sorted(self._found, key=lambda it: (it.place.file, it.place.line, it.place.column, it.path))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "decimal"?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
