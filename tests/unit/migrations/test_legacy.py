"""What of another system's table is as good as what is declared, and what is not."""

import pytest

from host.migrations.legacy import accommodated, fits, has_key, is_indexed, is_met
from host.migrations.shapes import (
    CheckShape,
    ColumnShape,
    ForeignKeyShape,
    IndexShape,
    TableShape,
    UniqueShape,
)


def column(kind: str, code: str = "sa.String(10)", *, nullable: bool = False) -> ColumnShape:
    return ColumnShape("it", kind, nullable, code)


@pytest.mark.parametrize(
    ("declared", "code", "live", "database", "is_good"),
    [
        ("VARCHAR(10)", "sa.String(10)", "VARCHAR(20)", "postgresql", True),
        ("VARCHAR(10)", "sa.String(10)", "TEXT", "postgresql", True),
        ("VARCHAR(20)", "sa.String(20)", "VARCHAR(10)", "postgresql", False),
        ("TEXT", "sa.Text()", "VARCHAR(10)", "sqlite", False),
        ("BIGINT", "sa.BigInteger()", "INTEGER", "postgresql", True),
        ("BIGINT", "sa.BigInteger()", "INTEGER UNSIGNED", "sqlite", True),
        ("BIGINT", "sa.BigInteger()", "TEXT", "sqlite", False),
        ("BOOLEAN", "sa.Boolean()", "BOOL", "sqlite", True),
        ("BOOLEAN", "sa.Boolean()", "INTEGER", "postgresql", False),
        ("CHAR(32)", "columns.DjangoUid()", "CHAR(32)", "sqlite", True),
        ("CHAR(32)", "columns.DjangoUid()", "VARCHAR(36)", "sqlite", False),
        ("DATETIME", "columns.DjangoInstant()", "TIMESTAMP", "sqlite", True),
        ("DATETIME", "columns.DjangoInstant()", "INTEGER", "sqlite", False),
        (
            "TIMESTAMP WITH TIME ZONE",
            "columns.DjangoInstant()",
            "TIMESTAMP WITHOUT TIME ZONE",
            "postgresql",
            False,
        ),
        ("VARCHAR(10)", "columns.Day()", "DATE", "sqlite", True),
        ("NUMERIC(15,2)", "columns.Exact(15, 2)", "DECIMAL", "sqlite", True),
        ("NUMERIC(15,2)", "columns.Exact(15, 2)", "NUMERIC(15,4)", "postgresql", False),
    ],
)
def test_types_fit_by_meaning(declared: str, code: str, live: str, database: str, is_good: bool) -> None:
    assert fits(column(declared, code), column(live), database) is is_good


NOTHING = TableShape("t", {}, ("id",))


def test_names_of_constraints_do_not_matter() -> None:
    wanted = UniqueShape("uq_t_a_b", ("a", "b"))
    for live in (
        TableShape("t", {}, ("id",), constraints=(UniqueShape("t_9f1_uniq", ("b", "a")),)),
        TableShape("t", {}, ("id",), indexes=(IndexShape("x", True, ("a", "b")),)),
        TableShape("t", {}, ("a", "b")),
    ):
        assert is_met(wanted, live, frozenset())
    partial = TableShape("t", {}, ("id",), indexes=(IndexShape("x", True, ("a", "b"), "a > 0"),))
    assert not is_met(wanted, partial, frozenset())
    assert not is_met(wanted, NOTHING, frozenset())


def test_references_say_what_a_deletion_does() -> None:
    def key(on_delete: str | None, table: str = "o") -> ForeignKeyShape:
        return ForeignKeyShape("fk", ("o_id",), table, ("id",), on_delete)

    def live(*keys: ForeignKeyShape) -> TableShape:
        return TableShape("t", {}, ("id",), constraints=keys)

    assert is_met(key(None), live(key(None)), frozenset())
    assert is_met(key(None), live(key("CASCADE")), frozenset())
    assert not is_met(key("CASCADE"), live(key(None)), frozenset())
    assert not is_met(key(None), live(key(None, "other")), frozenset())


def test_longer_index_serves_as_well() -> None:
    wanted = IndexShape("ix", False, ("a",))
    assert is_indexed(wanted, TableShape("t", {}, ("id",), indexes=(IndexShape("y", False, ("a", "b")),)))
    assert is_indexed(wanted, TableShape("t", {}, ("a", "id")))
    assert not is_indexed(wanted, TableShape("t", {}, ("id",), indexes=(IndexShape("y", False, ("b", "a")),)))
    unique = IndexShape("uq", True, ("a",))
    assert not is_indexed(unique, TableShape("t", {}, ("id",), indexes=(IndexShape("y", True, ("a", "b")),)))


def test_pair_may_have_a_number_beside_it() -> None:
    wanted = TableShape("t", {"a": column("BIGINT"), "b": column("BIGINT")}, ("a", "b"))
    numbered = TableShape(
        "t", {"id": column("BIGINT"), **wanted.columns}, ("id",), constraints=(UniqueShape("u", ("a", "b")),)
    )
    assert has_key(numbered, wanted)
    assert not has_key(TableShape("t", numbered.columns, ("id",)), wanted)


def test_columns_of_others_are_not_looked_at() -> None:
    declared = TableShape(
        "t", {"a": column("BOOLEAN", "sa.Boolean()")}, ("id",), (CheckShape("ck", "a > 0"),)
    )
    live = TableShape("t", {"a": column("BOOL", nullable=True), "z": column("TEXT")}, ("id",))
    found = accommodated(live, declared, "sqlite", frozenset({"ck"}))
    assert (list(found.columns), found.columns["a"].type, found.columns["a"].nullable) == (
        ["a"],
        "BOOLEAN",
        True,
    )
    assert found.constraints == declared.constraints
    assert accommodated(live, declared, "sqlite", frozenset()).constraints == ()
