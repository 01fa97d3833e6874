"""What the linker has to know of the field types, told by those who make them (`host.fields` and plugins' hooks)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypeWords:
    """One field type: the constraint keys it takes and what can be done with its values."""

    constraints: frozenset[str] = frozenset()  # the keys of `types.CONSTRAINTS`
    ordered: bool = False  # can be sorted by and compared with < and >
    text: bool = False  # can be searched; min and max are lengths
    numeric: bool = False  # can be summed
    file: bool = False  # a file: stored beside the row, of which the column holds the path
    scalar: bool = True  # one value that can be filtered by, indexed and unique; not so json, list, object


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The field types by name."""

    types: Mapping[str, TypeWords]
