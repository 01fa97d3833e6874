"""What was done to one row, out of the audit log, for whoever may see the row. `host.web.history` answers with it.

Of a change only those fields are told that the actor may see of the row now, whatever the rules were when it was made. Texts
of files and of linked rows are left out: those have rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.compiler.wires import CompiledWire
from host.service.context import Context
from host.service.journal import ENTRY
from host.service.outbox import key_text

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A page of a row's history, the newest first."""

    entries: list[Row]
    next: str | None


def history(
    ctx: Context,
    wire: CompiledWire,
    keys: tuple[Any, ...],
    shown: Mapping[str, Any],
    size: int,
    cursor: str | None,
) -> Told:
    """The entries of the row with this key, of which the wire shows `shown` to the actor."""
    scope = f"{wire.model.name} {wire.name} history {key_text(keys)}"
    table = ctx.table(ENTRY)
    wanted = (
        sa.select(table.c.id, table.c.at, table.c.operation, table.c.actor, table.c.changes)
        .where(table.c.resource == wire.model.name, table.c.key == key_text(keys), table.c.kind == "write")
        .order_by(table.c.id.desc())
        .limit(size + 1)
    )
    if cursor is not None:
        wanted = wanted.where(table.c.id < int(ctx.runtime.cursors.read(scope, cursor, 1)[0]))
    found = ctx.execute(wanted).mappings().all()
    page = found[:size]
    names = _names(ctx, wire.model, {row["actor"] for row in page if row["actor"] is not None})
    entries = [
        {"at": row["at"], "actor": names.get(row["actor"]), "operation": row["operation"], "changes": changes}
        for row in page
        if (changes := _visible(wire, row["changes"], shown)) or row["operation"] != "update"
    ]
    return Told(entries, ctx.runtime.cursors.make(scope, [page[-1]["id"]]) if len(found) > size else None)


def _visible(wire: CompiledWire, changes: Any, shown: Mapping[str, Any]) -> list[Row]:
    """The changes of fields that are shown, by their outer names."""
    told: list[Row] = []
    stored = orjson.loads(changes) if isinstance(changes, str) else changes
    for name, pair in (stored or {}).items():
        outer = wire.outer.get(name)
        if outer is None or outer not in shown:
            continue
        before, after = pair if pair is not None and _is_plain(wire.model, name) else (None, None)
        told.append({"field": outer, "before": before, "after": after})
    return told


def _is_plain(model: Model, name: str) -> bool:
    attribute = model.attributes.get(name)
    return attribute is not None and not attribute.is_file


def _names(ctx: Context, model: Model, accounts: Iterable[str]) -> Mapping[str, Any]:
    """The keys of accounts in the form that the resource shows its owner in."""
    owned = model.declared.mixins.owned
    form = owned.by if owned is not None else "id"
    wanted = list(accounts)
    if form == "id" or not wanted:
        return {account: account for account in wanted}
    table = ctx.table(ACCOUNT)
    chosen: sa.Select[Any] = sa.select(table.c.id, table.c[form]).where(table.c.id.in_(wanted))
    return {str(row["id"]): row[form] for row in ctx.execute(chosen).mappings()}
