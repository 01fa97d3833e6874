"""The syntax of expressions: a whitelist of Python, and nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.declaration.expressions import (
    And,
    Arithmetic,
    Call,
    Column,
    Compare,
    Expr,
    ExpressionError,
    Items,
    Literal,
    Me,
    Negative,
    Not,
    Now,
    Or,
    Word,
    names_in,
    parse,
)
from host.declaration.syntax import MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("owner", Word("owner")),
        ("row.public", Column(("public",))),
        ("client.owner == me", Compare("==", Column(("client", "owner")), Me())),
        ("me.email != 'x'", Compare("!=", Me(("email",)), Literal("x"))),
        ("due < now", Compare("<", Column(("due",)), Now())),
        ("a is not None", Compare("is not", Column(("a",)), Literal(None))),
        ("a in ['x', -1]", Compare("in", Column(("a",)), Items(("x", -1)))),
        ("not a or b and c", Or((Not(Column(("a",))), And((Column(("b",)), Column(("c",))))))),
        ("1 < a <= 2", And((Compare("<", Literal(1), Column(("a",))), Compare("<=", Column(("a",)), Literal(2))))),
        ("-a + 2 * b", Arithmetic("+", Negative(Column(("a",))), Arithmetic("*", Literal(2), Column(("b",))))),
        ("role('admin')", Call("role", (Literal("admin"),))),
        ("any(members, account == me)", Call("any", (Column(("members",)), Compare("==", Column(("account",)), Me())))),
        ("  public\n", Word("public")),
        ("a\nand b", And((Column(("a",)), Column(("b",))))),
    ],
)  # fmt: skip
def test_expressions_become_small_trees(text: str, tree: Expr) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "a =", "lambda: a", "[x for x in a]", "a if b else c", "a[0]", "f'{a}'", "__import__('os')", "a.b()", "a()()",
        "(a := 1)", "{}", "{1}", "a ** b", "a // b", "a | b", "~a", "+a", "...", "b'x'", "1j", "1e999", "99999999999999999999",
        "await a", "*a", "a, b", "a in b", "a in []", "a == [1]", "a is 1", "a == None", "None == a", "role(name='x')", "me.a.b",
        "now.year", "a.b.c.d.e.f", "Ä", "a\x00", "a # c\n or b", "'" + "x" * 2000 + "'", "not " * 60 + "a", "(" * 300,
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_error_tells_the_character() -> None:
    with pytest.raises(ExpressionError, match=r"at character 7") as raised:
        parse("a and [b]")
    assert raised.value.offset == 6


def test_names_are_first_segments() -> None:
    assert names_in(parse("client.owner == me and row.status == 'x' or lower(title) == 'y'")) == {
        "client",
        "status",
        "title",
    }


@given(st.text(max_size=MAX_LENGTH))
def test_random_text_raises_nothing_else(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert str(error)


WORDS = (
    "a",
    "me",
    "row.",
    "(",
    ")",
    "[",
    "]",
    "'x'",
    "1",
    ".",
    ",",
    "==",
    "in",
    "not",
    "and",
    "is",
    "None",
    "any",
    "-",
    "#",
)


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_random_words_raise_nothing_else(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert str(error)
