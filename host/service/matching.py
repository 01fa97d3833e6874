"""Linked rows told by a text, as tags are by their names: found, or made under their own rules, in the same transaction.

Two writers who want the same new row get one: who comes second meets the unique constraint, undoes its part and finds what
the first has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Scope
from host.compiler.models import Link, Matched, Model
from host.errors import Duplicate, Invalid
from host.service.context import Context

Create = Callable[[Context, Model, Mapping[str, Any]], Any]  # `writing.create`, which calls here


def matching_keys(
    ctx: Context, link: Link, texts: Sequence[str | None], row: Mapping[str, Any], create: Create
) -> list[Any]:
    """The keys of the rows that have these texts, in their order; blanks and repetitions do not count."""
    matched = link.matched
    assert matched is not None
    wanted: dict[str, str] = {}
    for text in texts:
        if text is not None and text.strip():
            wanted.setdefault(_folded(matched, text), text.strip())
    shared = {name: row.get(name) for name in matched.shared}
    found = _find(ctx, link, wanted.values(), shared)
    for folded in sorted(
        wanted.keys() - found.keys()
    ):  # in one order, so that two writers never wait for each other
        found[folded] = _make(ctx, link, wanted[folded], shared, create)
    return list(dict.fromkeys(found[folded] for folded in wanted))


def _folded(matched: Matched, text: str) -> str:
    return text.strip().lower() if matched.is_folded else text.strip()


def _make(ctx: Context, link: Link, text: str, shared: Mapping[str, Any], create: Create) -> Any:
    target, matched = ctx.runtime.registry.models[link.target], link.matched
    assert matched is not None
    if matched.creates:
        try:
            with ctx.transaction.savepoint():
                return create(ctx, target, {**shared, matched.attribute.name: text}).keys[0]
        except Duplicate:
            pass  # somebody else was faster, or it is there and hidden
    found = list(_find(ctx, link, [text], shared).values())
    if not found:
        raise Invalid.at(f"/{link.name}", "reference", f'there is no {target.spoken} "{text[:60]}"')
    return found[0]


def _find(ctx: Context, link: Link, texts: Iterable[str], shared: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of visible rows by their folded text."""
    asked, matched = list(texts), link.matched
    assert matched is not None
    if not asked:
        return {}
    target = ctx.runtime.registry.models[link.target]
    scope: Scope = ctx.runtime.policy.scope(target, ctx.facts)
    key, column = scope.column(target.keys[0].name), scope.column(matched.attribute.name)
    said: Any = [sa.func.lower(sa.literal(text)) if matched.is_folded else sa.literal(text) for text in asked]
    conditions = [(sa.func.lower(column) if matched.is_folded else column).in_(said)]
    conditions += [scope.column(name) == value for name, value in shared.items()]
    conditions += ctx.runtime.policy.visible(target, "get", ctx.facts)
    ctx.transaction.flush()
    rows: Iterable[Any] = ctx.execute(sa.select(key, column).where(*conditions))
    return {_folded(matched, text): value for value, text in rows}
