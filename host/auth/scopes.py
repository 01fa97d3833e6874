"""What an API key may be used for: `plugin.resource:operations`, e.g. `freelance.invoice:list,get` or `freelance.*:read`.

Pure functions over texts; the web layer says what an operation is called, and this says whether a scope names it. A part
is a word or `*`; operations are words with commas between them, among them `read` and `write`, or `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from host.errors import FieldError, Invalid

ANY: Final = "*"
CLASSES: Final = frozenset({"read", "write", ANY})
_WORD = r"(?:\*|[a-z][a-z0-9_]{0,99})"
_SCOPE = re.compile(rf"({_WORD})(?:\.({_WORD}))?:({_WORD}(?:,{_WORD})*)")


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is to scopes: whose it is, on what it works, and every word that names it."""

    plugin: str
    noun: str
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope in its parts."""

    plugin: str
    noun: str
    verbs: frozenset[str]

    def names(self, target: Target) -> bool:
        """Whether it allows this."""
        return (
            self.plugin in (ANY, target.plugin)
            and self.noun in (ANY, target.noun)
            and (ANY in self.verbs or not self.verbs.isdisjoint(target.verbs))
        )


@lru_cache(maxsize=4096)
def parse_scope(text: str) -> Scope | None:
    """The scope that a text writes; None where it is none."""
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    return Scope(match[1], match[2] or ANY, frozenset(match[3].split(",")))


def allows(scopes: Iterable[str], target: Target) -> bool:
    """Whether any of the scopes names the target."""
    parsed = (parse_scope(text) for text in scopes)
    return any(scope is not None and scope.names(target) for scope in parsed)


def check_scopes(scopes: Iterable[str], known: Iterable[Target]) -> None:
    """Raise Invalid for a scope that is not written well, or that names what there is not."""
    verbs = _verbs_by_noun(known)
    errors = [
        FieldError(f"/scopes/{index}", "reference", said)
        for index, text in enumerate(scopes)
        if (said := _wrong(text, verbs)) is not None
    ]
    if errors:
        raise Invalid("a scope names nothing here", errors)


def _verbs_by_noun(known: Iterable[Target]) -> Mapping[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for target in known:
        found.setdefault((target.plugin, target.noun), set()).update(target.verbs)
    return found


def _wrong(text: str, verbs: Mapping[tuple[str, str], set[str]]) -> str | None:
    scope = parse_scope(text)
    if scope is None:
        return f"{text[:60]!r} is no scope; write plugin.resource:operations"
    plugins, nouns = (
        {plugin for plugin, _ in verbs},
        {noun for plugin, noun in verbs if scope.plugin in (ANY, plugin)},
    )
    if scope.plugin != ANY and scope.plugin not in plugins:
        return f"there is no plugin {scope.plugin!r}{_close(scope.plugin, plugins)}"
    if scope.noun != ANY and scope.noun not in nouns:
        return f"{scope.plugin} has no {scope.noun!r}{_close(scope.noun, nouns)}"
    of_scope = {
        verb for (plugin, noun), words in verbs.items() for verb in words
        if scope.plugin in (ANY, plugin) and scope.noun in (ANY, noun)
    }  # fmt: skip
    strange = sorted(scope.verbs - of_scope - CLASSES)
    return f"there is no operation {strange[0]!r} there{_close(strange[0], of_scope)}" if strange else None


def _close(word: str, known: Iterable[str]) -> str:
    found = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
