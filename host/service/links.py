"""Writing many-to-many relations: the linked keys of a row are replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Link, Model
from host.errors import Invalid
from host.service.context import Context
from host.service.matching import Create, matching_keys


def write_links(
    ctx: Context, model: Model, keys: tuple[Any, ...], links: Mapping[str, Sequence[Any]],
    row: Mapping[str, Any], create: Create,
) -> dict[str, tuple[list[Any], list[Any]]]:  # fmt: skip
    """Make each relation hold exactly these rows, every one of which the actor has to be able to see.

    They are told by their keys, or by texts; `row` has the values that matching rows share. Answers for each relation the
    keys that it held before and holds now.
    """
    found: dict[str, tuple[list[Any], list[Any]]] = {}
    for name, wanted in links.items():
        link = model.links[name]
        if link.matched is not None:
            unique = matching_keys(ctx, link, wanted or (), row, create)
        else:
            unique = list(dict.fromkeys(wanted or ()))
            _check_visible(ctx, link, name, unique)
        assert link.table is not None and link.here is not None and link.there is not None
        connection = ctx.transaction.connection
        gone = connection.execute(link.table.delete().where(link.here == keys[0]).returning(link.there))
        found[name] = (list(gone.scalars()), unique)
        if unique:
            connection.execute(
                link.table.insert(), [{link.here.name: keys[0], link.there.name: key} for key in unique]
            )
    return found


def _check_visible(ctx: Context, link: Link, name: str, wanted: Sequence[Any]) -> None:
    if not wanted:
        return
    target = ctx.runtime.registry.models[link.target]
    key = target.keys[0].column
    assert key is not None
    visible = ctx.runtime.policy.visible(target, "get", ctx.facts)
    try:
        found = set(ctx.execute(sa.select(key).where(key.in_(wanted), *visible)).scalars())
    except sa.exc.DataError:
        found = set()
    for index, value in enumerate(wanted):
        if value not in found:
            raise Invalid.at(f"/{name}/{index}", "reference", f"there is no such {target.spoken}")
