"""Full-text search of a list: what a caller types, as terms, and as the query of either database.

Words, "phrases", beginnings* and -exclusions, all of which have to hold; nothing else has a meaning, so that no text is an
error and both databases find the same rows. `parameters` reads terms, `search_rows` puts them into statements.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from host.compiler.models import Attribute
from host.compiler.search import Index
from host.declaration.nodes import Field
from host.fields.words import words_of

MOST_TERMS: Final = 10
_TERM: Final = re.compile(r'(-?)"([^"]*)(?:"|$)|(\S[^\s"]*)')
# The order of the best matches; no field has such a name.
RANK: Final = Attribute("-relevance", Field(type="integer"), None, is_nullable=False)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that have to stand behind one another, or must not; the last may be the beginning of one."""

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched for. `letters` are those of the texts that the actor may read, empty for all of them."""

    terms: tuple[Term, ...]
    letters: str = ""

    @property
    def wanted(self) -> tuple[Term, ...]:
        """The terms that have to be there."""
        return tuple(term for term in self.terms if not term.is_excluded)

    @property
    def excluded(self) -> tuple[Term, ...]:
        """The terms that must not be there."""
        return tuple(term for term in self.terms if term.is_excluded)

    @property
    def is_ranked(self) -> bool:
        """Whether some rows answer it better than others."""
        return bool(self.wanted)

    @property
    def shape(self) -> Hashable:
        """What of it the statement depends on."""
        return bool(self.terms), self.is_ranked, self.letters


def terms_of(text: str) -> tuple[Term, ...]:
    """The terms of what somebody typed. What is neither letter nor digit asks for nothing."""
    found = []
    for minus, phrase, word in _TERM.findall(text):
        is_excluded = bool(minus) or word.startswith("-")
        words = tuple(words_of(phrase or word))
        if words:
            found.append(Term(words, word.endswith("*"), is_excluded))
    return tuple(found)


def phrase_of(text: str) -> tuple[Term, ...]:
    """A text as one phrase, whatever signs are in it."""
    words = tuple(words_of(text))
    return (Term(words),) if words else ()


def searched_letters(index: Index, readable: Iterable[str]) -> str:
    """The letters of these fields; empty if they are all that are searched."""
    known = set(readable)
    letters = "".join(sorted({letter for name, letter in index.letters.items() if name in known}))
    return "" if known >= index.letters.keys() else letters


# --- in the words of the databases ---------------------------------------------------------------------------------------


def sought_values(sought: Sought | None, dialect: str) -> Mapping[str, str]:
    """The values of a search's parameters."""
    if sought is None or not sought.terms:
        return {}
    if dialect == "postgresql":
        return {"matched": _tsquery(sought), "ranked": _ranking_tsquery(sought)}
    return {"matched": _match(sought), "ranked": " ".join(_ranked_words(sought))}


def _match(sought: Sought) -> str:
    """The query in the words of FTS5, which cannot exclude from everything: without wanted terms, those to be left out."""
    wanted, excluded = (
        [" AND ".join(map(_fts_term, sought.wanted))],
        " OR ".join(map(_fts_term, sought.excluded)),
    )
    text = f"({wanted[0]}) NOT ({excluded})" if wanted[0] and excluded else wanted[0] or excluded
    return f"{{{' '.join(sought.letters.lower())}}} : ({text})" if sought.letters else text


def _fts_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}'


def _tsquery(sought: Sought) -> str:
    return " & ".join(
        f"{'!' if term.is_excluded else ''}({' <-> '.join(_lexemes(term, sought.letters))})"
        for term in sought.terms
    )


def _lexemes(term: Term, letters: str) -> list[str]:
    stars = [
        "*" if term.is_prefix and place == len(term.words) else "" for place, _ in enumerate(term.words, 1)
    ]
    suffixes = [f":{star}{letters}" if star or letters else "" for star in stars]
    return [f"'{word}'{suffix}" for word, suffix in zip(term.words, suffixes, strict=True)]


def _ranked_words(sought: Sought) -> Sequence[str]:
    """The words that count for the rank, each once."""
    stars: dict[str, str] = {}
    for term in sought.wanted:
        for place, word in enumerate(term.words, 1):
            is_beginning = term.is_prefix and place == len(term.words)
            stars[word] = "*" if is_beginning else stars.get(word, "")
    return [f"{word}{star}" for word, star in stars.items()]


def _ranking_tsquery(sought: Sought) -> str:
    return " | ".join(
        f"'{word.rstrip('*')}'{':*' if word.endswith('*') else ''}" for word in _ranked_words(sought)
    )
