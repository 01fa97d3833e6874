"""The words of a text as full-text search knows them: folded and told apart here, so that every database finds the same.

Both databases are handed words that need no further treatment; neither its own parser nor its locale has a say. The
query layer folds what is asked for with the same functions, the service and the migrations what is stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final

import orjson

LETTERS: Final = "ABCD"  # what a word weighs, the heaviest first
LONGEST_WORD: Final = 64
MOST_WORDS: Final = 16_000  # of one row: PostgreSQL counts positions no further
MOST_CHARACTERS: Final = 200_000  # of one row: its vectors hold a megabyte
MOST_TIMES: Final = 200  # that one word of a row is kept: PostgreSQL remembers 255 places
GAP: Final = "\u00a4"  # stands where a phrase must not pass; no word contains it
Word = str | None  # None where a word is not kept but has its place

_ASCII: Final = re.compile(r"[a-z0-9]+")
# Letters that Unicode does not take apart.
_SPELLED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)  # fmt: skip


@cache  # these take milliseconds to compile, and many processes never need them
def _accents() -> re.Pattern[str]:
    """Diacritics of Latin, Greek and Cyrillic, points of Hebrew, short vowels of Arabic."""
    latin = "\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    semitic = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    return re.compile(f"[{latin}{semitic}\u200b-\u200d\u00ad]")


@cache
def _words() -> re.Pattern[str]:
    """Words; of Thai, Lao, Burmese, Khmer, kana and Han, which put no spaces between them, single characters."""
    spaceless = (
        "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fd5\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
        "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
    )
    # Vowel signs of Indian scripts are no letters to Python, and yet part of a word.
    signs = "\u0900-\u0963\u0966-\u0df3\u0f71-\u0fbc"
    return re.compile(f"[{spaceless}]|(?:(?![{spaceless}])[^\\W_]|[{signs}])+")


def folded(text: str) -> str:
    """The text without regard to case and accents."""
    if text.isascii():
        return text.lower()
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = _accents().sub("", taken_apart.translate(_SPELLED))
    return unicodedata.normalize("NFKC", bare)


def words_of(text: str) -> list[str]:
    """The words of a text, folded, each cut where it is longer than any word."""
    folded_text = folded(text)
    found = (_ASCII if folded_text.isascii() else _words()).findall(folded_text)
    return [word[:LONGEST_WORD] for word in found]


def sections(texts: Iterable[tuple[str, str | None]]) -> tuple[list[Word], ...]:
    """The words of a row's texts, given with the letter of each, by letter: as many as are kept of a row."""
    said: dict[str, list[str]] = {letter: [] for letter in LETTERS}
    for letter, text in texts:
        if text:
            said[letter].append(text)
    kept, seen = _Kept(), Counter[str]()
    return tuple([*kept.words(said[letter], seen)] for letter in LETTERS)


class _Kept:
    """Counts what of a row is kept."""

    def __init__(self) -> None:
        self.words_left, self.characters_left = MOST_WORDS, MOST_CHARACTERS

    def words(self, texts: Sequence[str], seen: Counter[str]) -> Iterator[Word]:
        """The words of one letter; between two texts there is a place without a word."""
        for number, text in enumerate(texts):
            if number:
                self.words_left -= 1
                yield None
            for word in words_of(text[: self.characters_left]):
                self.words_left -= 1
                self.characters_left -= len(word)
                if self.words_left <= 0 or self.characters_left <= 0:
                    return
                seen[word] += 1
                yield word if seen[word] <= MOST_TIMES else None


def stored_words(texts: Iterable[tuple[str, str | None]], dialect: str) -> str:
    """What the database keeps of a row's texts: on PostgreSQL a vector, on SQLite the words of each letter as JSON."""
    found = sections(texts)
    return vector(found) if dialect == "postgresql" else spaced(found)


def vector(found: Sequence[Sequence[Word]]) -> str:
    """The words with their places and letters as PostgreSQL writes them."""
    places: dict[str, list[str]] = {}
    place = 0
    for letter, words in zip(LETTERS, found, strict=True):
        for word in words:
            place += 1
            if word is not None:
                places.setdefault(word, []).append(f"{place}{letter}")
        place += 1  # no phrase passes from one letter to the next
    return " ".join(f"'{word}':{','.join(where)}" for word, where in places.items())


def spaced(found: Sequence[Sequence[Word]]) -> str:
    """The words of each letter as one text, each between two spaces of its own, so that they can be counted."""
    joined = ["".join(f" {GAP if word is None else word} " for word in words) for words in found]
    return orjson.dumps(joined).decode()


# --- how well a row answers a query: PostgreSQL's `ts_rank` over SQLite's texts -----------------------------------------

WEIGHTS: Final[Mapping[str, float]] = {"A": 1.0, "B": 0.4, "C": 0.2, "D": 0.1}
SCALE: Final = 10_000
_ALL: Final = 1.64493406685  # of the sum of 1/n²
_SUMS: Final = (0.0, *accumulate(1 / (place * place) for place in range(1, MOST_TIMES + 1)))


def relevance(stored: str, asked: str, letters: str) -> int:
    """How well a row answers words, of which those with a star are beginnings; only texts of these letters count.

    A word counts the more the heavier its text is, and the first time more than the second; the rest of the table has no part
    in it, so that a row keeps its rank while others come and go, and nobody learns from it what they hold.
    """
    texts = [
        (weight, text)
        for weight, text in zip(_weights(letters), orjson.loads(stored), strict=True)
        if text and weight
    ]
    total, words = 0.0, _asked(asked)
    for word, is_beginning in words:
        if is_beginning:
            total += sum(map(_score, _beginning(texts, word)))
        else:
            total += _score([(weight, text.count(word)) for weight, text in texts])
    return round(total / _ALL / len(words) * SCALE)


@lru_cache(64)
def _weights(letters: str) -> tuple[float, ...]:
    return tuple(WEIGHTS[letter] if letter in letters else 0.0 for letter in LETTERS)


@lru_cache(64)
def _asked(asked: str) -> tuple[tuple[str, bool], ...]:
    words = [(word.rstrip("*"), word.endswith("*")) for word in asked.split(" ")]
    return tuple((word if is_beginning else f" {word} ", is_beginning) for word, is_beginning in words)


def _beginning(texts: Sequence[tuple[float, str]], start: str) -> Iterable[list[tuple[float, int]]]:
    """How often every word with this beginning stands in each of the texts."""
    counts: dict[str, list[tuple[float, int]]] = {}
    for weight, text in texts:
        if f" {start}" in text:
            for word, count in Counter(it for it in text.split() if it.startswith(start)).items():
                counts.setdefault(word, []).append((weight, count))
    return counts.values()


def _score(counts: Iterable[tuple[float, int]]) -> float:
    place, score = 0, 0.0
    for weight, count in counts:
        if count:
            score += weight * (_SUMS[place + count] - _SUMS[place])
            place += count
    return score
