"""Full-text search against a model of it in Python: both databases find the same rows, in the same order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.actor import SYSTEM
from host.fields.words import GAP, LETTERS, MOST_TIMES, folded, relevance, sections, spaced, vector, words_of
from host.query.search import Term, terms_of
from host.service.reading import list_page
from tests.support.sites import Core, Declare

SITE = """
resources:
  text:
    key: int
    fields: {a: text, b: text, c: text, also: text}
    query: {search: {fields: {a: A, b: B, c: D, also: A}}, page: {default: 200, max: 200}}
    access: public
"""
PIECES = [
    "cafe", "Café", "CAFÉ", "caf\u0065\u0301", "noir", "no", "n", "x-ray", "X", "ray", "o'brien", "Straße", "strasse",
    "東京タワー", "京", "हिन्दी", "Ångström", "1.5", "15", "AND", "or", "NOT", "near", ";--", "%", "_", "\\", "\u00a4",
    "\U0001d518nicode", "ﬁn", "æ", "İ", "שָׁלוֹם",
]  # fmt: skip
NAMES = ("a", "b", "c", "also")
signs = st.sampled_from(["", "", "-", '"', '-"'])
some = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3)
queries = st.lists(st.tuples(signs, some, st.booleans()), min_size=1, max_size=3).map(
    lambda terms: " ".join(_typed(*term) for term in terms)
)
quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def _typed(sign: str, words: Sequence[str], is_beginning: bool) -> str:
    if '"' in sign:
        return f'{sign}{" ".join(words)}"'
    return f"{sign}{words[0]}{'*' if is_beginning else ''}"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


@pytest.fixture(scope="module")
def rows(core: Core) -> dict[int, dict[str, str]]:
    """Rows of random pieces, by key."""
    dice, made = random.Random(7), {}
    with core.writing() as ctx:
        for _ in range(60):
            row = {name: " ".join(dice.choices(PIECES, k=dice.randrange(6))) for name in NAMES}
            made[ctx.records("text").create(row)["id"]] = row
    return made


def found(core: Core, query: str) -> list[int]:
    """The keys that a search answers."""
    with core.reading(SYSTEM) as ctx:
        wire = ctx.runtime.registry.wires["site.text"][0]
        return [row["id"] for row in list_page(ctx, wire, f"q={quote(query)}").rows]


def holds(row: dict[str, str], term: Term) -> bool:
    """Whether a row has what a term asks for: the words behind one another in one field."""
    for name in NAMES:
        words = words_of(row[name])
        for at in range(len(words) - len(term.words) + 1):
            *whole, last = words[at : at + len(term.words)]
            is_last = last.startswith(term.words[-1]) if term.is_prefix else last == term.words[-1]
            if is_last and tuple(whole) == term.words[:-1]:
                return True
    return False


def expected(rows: dict[int, dict[str, str]], query: str) -> set[int]:
    terms = terms_of(query)
    return {
        key
        for key, row in rows.items()
        if terms and all(holds(row, term) is not term.is_excluded for term in terms)
    }


@given(query=queries)
@quick
def test_found_rows_are_those_of_the_model(core: Core, rows: dict[int, dict[str, str]], query: str) -> None:
    if len(terms_of(query)) <= 10:
        assert set(found(core, query)) == expected(rows, query)


@given(
    query=st.lists(st.sampled_from(PIECES), min_size=1, max_size=2).map(" ".join),
    star=st.sampled_from(["", "*"]),
)
@quick
def test_order_is_that_of_the_model(
    core: Core, rows: dict[int, dict[str, str]], query: str, star: str
) -> None:
    terms = terms_of(query + star)
    asked = {word: "" for term in terms for word in term.words}
    asked |= {term.words[-1]: "*" for term in terms if term.is_prefix}
    ranks = {
        key: relevance(spaced(kept(row)), " ".join(map("".join, asked.items())), LETTERS)
        for key, row in rows.items()
    }
    keys = found(core, query + star)
    assert all(ranks[one] >= ranks[next_] - 1 for one, next_ in pairwise(keys))


def kept(row: dict[str, str]) -> tuple[list[str | None], ...]:
    letters = {"a": "A", "b": "B", "c": "D", "also": "A"}
    return sections((letters[name], row[name]) for name in NAMES)


@given(said=st.text(max_size=150), word=st.text(max_size=40))
@quick
def test_any_text_is_stored_and_found(core: Core, said: str, word: str) -> None:
    said = said.replace("\x00", "").encode("utf-8", "ignore").decode()
    with core.writing() as ctx:
        key = ctx.records("text").create({"a": said})["id"]
    words = words_of(said)
    for start in range(0, len(words), 10):
        asked = " ".join(words[start : start + 10])[:200]
        if len(words_of(asked)) == len(terms_of(asked)) <= 10 and asked:
            assert key in found(core, asked) or asked.split()[-1] not in words
    with core.writing() as ctx:
        ctx.records("text").delete(key)


def test_very_long_texts_are_kept_in_part(core: Core) -> None:
    long = " ".join(f"word{number}" for number in range(40_000))
    with core.writing() as ctx:
        key = ctx.records("text").create({"a": long, "b": "again " * 5000, "c": "x" * 100_000})["id"]
    assert found(core, "word9") == found(core, "word15000") == [key]
    assert found(core, "word39999") == []
    with core.writing() as ctx:
        ctx.records("text").update(key, {"a": "again " * 5000 + "short", "b": "\u00e9" * 100_000})
    assert found(core, "again short") == found(core, "e" * 64 + "*") == [key]
    assert found(core, '"again short"') == []  # two hundred of one word are kept
    with core.writing() as ctx:
        ctx.records("text").delete(key)


# --- without a database -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("Łódź Đakovo Ærø", ["lodz", "dakovo", "aero"]),
        ("İstanbul ISPARTA \u0131ss\u0131z", ["istanbul", "isparta", "issiz"]),
        ("ΆΘΗΝΑ Σίσυφος", ["αθηνα", "σισυφοσ"]),
        ("foo_bar-1.5e3", ["foo", "bar", "1", "5e3"]),
        ("ラーメン屋", ["ラ", "ー", "メ", "ン", "屋"]),
        ("한국어 검색", ["한국어", "검색"]),
        ("हिन्दी", ["हिन्दी"]),
        ("x" * 70, ["x" * 64]),
        ("¤ 'a':1A & \\", ["a", "1a"]),
        ("", []),
    ],
)
def test_words_of_text_are_folded(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(text=st.text(max_size=60))
def test_words_stay_what_they_are(text: str) -> None:
    words = words_of(text)
    assert all(words_of(word) == [word] for word in words if len(word) < 64)
    assert not any(set(word) & set(f" '\":\\{GAP}") for word in words)
    assert words_of(folded(text)) == words


def test_places_leave_gaps_between_texts() -> None:
    found = sections([("B", "x y"), ("A", "x"), ("B", "y")])
    assert vector(found) == "'x':1A,3B 'y':4B,6B"
    assert spaced(found) == '[" x "," x  y  ¤  y ","",""]'
    assert sum(word is not None for word in sections([("A", "x " * 999)])[0]) == MOST_TIMES


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        (
            'a "b c" -d e*',
            [Term(("a",)), Term(("b", "c")), Term(("d",), is_excluded=True), Term(("e",), is_prefix=True)],
        ),
        ('-"a b', [Term(("a", "b"), is_excluded=True)]),
        ("-a-b*", [Term(("a", "b"), is_prefix=True, is_excluded=True)]),
        ('a"b c"d', [Term(("a",)), Term(("b", "c")), Term(("d",))]),
        ('- -- * "" ( )', []),
    ],
)
def test_typed_text_is_told_apart(typed: str, terms: list[Term]) -> None:
    assert list(terms_of(typed)) == terms
