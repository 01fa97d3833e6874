"""The form of every kind of word in the language: what a name, a path or a reference looks like.

The binder checks texts against these and the JSON Schema shows the same patterns; whether what is referred to exists, the
linker finds out.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass

from host.declaration import nodes
from host.limiting.rates import FORM, RATE

_NAME = r"[a-z][a-z0-9_]{0,47}"
_REFERENCE = rf"{_NAME}(\.{_NAME})?"
_FIELDS = rf"{_NAME}(\.{_NAME}){{0,3}}"
_SEGMENT = rf"([A-Za-z0-9._~-]+|\{{{_FIELDS}\}})"

# Python's own words cannot stand in an expression; the others mean something there.
RESERVED = frozenset(keyword.kwlist) | {"me", "now", "row"}


@dataclass(frozen=True, slots=True)
class Form:
    """What texts of one kind look like, as a pattern and in words."""

    pattern: str
    says: str

    def fits(self, text: str) -> bool:
        """Whether the whole text has this form."""
        return re.fullmatch(self.pattern, text) is not None


FORMS: Mapping[object, Form] = {
    nodes.Name: Form(
        _NAME, "a name: small letters, digits and _, beginning with a letter, at most 48 characters"
    ),
    nodes.Key: Form(r"[A-Za-z_][A-Za-z0-9_]{0,47}", "a key: letters, digits and _, at most 48 characters"),
    nodes.Expression: Form(r"(?s)\s*\S.{0,999}", "an expression of 1 to 1000 characters"),
    nodes.CallRef: Form(r"[a-z_]\w*(\.[A-Za-z_]\w*)+", "a function of the plugin, as `module.function`"),
    nodes.TypeRef: Form(_REFERENCE, "a type, as `name` or `plugin.name`"),
    nodes.ResourceRef: Form(_REFERENCE, "a resource, as `name` or `plugin.name`"),
    nodes.JobRef: Form(_REFERENCE, "a job, as `name` or `host.name`"),
    nodes.WireRef: Form(_REFERENCE, "a named wire, as `name` or `plugin.name`"),
    nodes.PathTemplate: Form(
        rf"(?=.{{1,200}}$)/?{_SEGMENT}(/{_SEGMENT})*/?",
        "a path of plain segments and `{name}`, such as `/api/invoices`",
    ),
    nodes.FieldRef: Form(_FIELDS, "a field or relation"),
    nodes.RateText: Form(RATE, FORM),
    nodes.SortRef: Form(f"-?{_FIELDS}", "a field or relation, with `-` in front for descending"),
}


def is_reserved(name: str) -> bool:
    """Whether a name cannot be given because expressions could not use it."""
    return name in RESERVED
