"""Full-text search in statements: which rows match on either database, and how well.

`plans` joins the rows of a list with their words by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from host.compiler.models import Model
from host.compiler.search import Index, index_name
from host.fields.words import LETTERS, SCALE
from host.query.search import Sought


@dataclass(frozen=True)
class Search:
    """One search of a model's rows on one database."""

    index: Index
    sought: Sought
    dialect: str

    def rows(self, model: Model) -> Any:
        """The rows of a model with their words."""
        pairs = zip(self.index.keys, model.keys, strict=True)
        same = sa.and_(*(own == key.column for own, key in pairs))
        if self._is_driven:
            number = self._matches.c.rowid == self.index.number
            return _InOrder(_InOrder(self._matches, self.index.table, number), model.table, same)
        return sa.join(model.table, self.index.table, same)

    @property
    def _is_driven(self) -> bool:
        """Whether the rows are those that SQLite's index answers, in this order: else it would be asked anew for every row."""
        return self.dialect == "sqlite" and self.sought.is_ranked

    @property
    def _matches(self) -> sa.TableClause:
        return sa.table(index_name(self.index.table.name), sa.column("rowid"))

    def condition(self) -> Any:
        """Rows that have what is sought; none, where words were asked for in a text without any."""
        if not self.sought.terms:
            return sa.false()
        if self.dialect == "postgresql":
            return self.index.words.bool_op("@@")(_query("matched"))
        name: Any = sa.literal_column(f'"{self._matches.name}"')
        matching = name.bool_op("MATCH")(sa.bindparam("matched", type_=sa.Text()))
        if self._is_driven:
            return matching
        return self.index.number.not_in(sa.select(self._matches.c.rowid).where(matching))

    def rank(self) -> Any:
        """How well a row answers, as a whole number that depends on this row alone."""
        return self._score().label("search_rank")  # the name in ORDER BY saves counting twice

    def _score(self) -> Any:
        letters = self.sought.letters or LETTERS
        if self.dialect == "sqlite":
            asked = sa.bindparam("ranked", type_=sa.Text())
            return sa.func.relevance(
                self.index.words, asked, sa.literal_column(f"'{letters}'"), type_=sa.Integer()
            )
        words: Any = self.index.words
        if self.sought.letters:
            words = sa.func.ts_filter(
                words, sa.literal_column(f"'{{{','.join(letters.lower())}}}'::\"char\"[]")
            )
        score = sa.func.ts_rank(words, _query("ranked")) * SCALE
        return sa.cast(sa.func.round(sa.cast(score, sa.Double())), sa.Integer())


class _InOrder(sa.sql.selectable.Join):
    """A join that SQLite carries out from left to right."""

    inherit_cache = True


@compiles(_InOrder)
def _in_order(join: _InOrder, compiler: Any, **options: Any) -> str:
    sides = [
        side._compiler_dispatch(compiler, **{**options, "asfrom": True}) for side in (join.left, join.right)
    ]
    return f"{sides[0]} CROSS JOIN {sides[1]} ON {compiler.process(join.onclause)}"


def _query(name: str) -> Any:
    return sa.cast(sa.bindparam(name, type_=sa.Text()), _TsQuery())


class _TsQuery(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TSQUERY"
