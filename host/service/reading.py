"""Lists and single rows, as a wire shows them: the hot path of reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from host.compiler.wires import CompiledWire
from host.errors import FieldError, Invalid, NotFound
from host.query.plans import ListPlan
from host.service.context import Context

_CURSOR = re.compile(r"(?:^|&)cursor=([^&]*)")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next` is the cursor of the page behind it, or the number of that page, or None."""

    rows: list[dict[str, Any]]
    next: str | int | None
    total: int | None
    size: int
    number: int | None = None


def list_page(ctx: Context, wire: CompiledWire, raw: str) -> Page:
    """The page that a query string asks for. Raises Invalid with every problem of it."""
    raw, cursor = _split_cursor(raw)
    plans = ctx.runtime.plans
    plan = plans.listing(wire, raw, ctx.facts, None, ctx.under)
    values = ctx.values
    if cursor is not None:
        if plan.page is not None:
            raise Invalid("", [FieldError("cursor", "unknown", "this list is paged by number")])
        found = ctx.runtime.cursors.read(_scope(ctx, plan), cursor, plan.order_width)
        plan = plans.listing(wire, raw, ctx.facts, tuple(value is None for value in found), ctx.under)
        values = {**values, **{f"cursor_{index}": value for index, value in enumerate(found)}}
    values = {**values, **plan.asked}
    if ctx.work is not None:
        return _read_page(ctx, plan, ctx.work.driver, values, is_first=cursor is None)
    with ctx.runtime.database.reading() as connection:
        return _read_page(ctx, plan, connection, values, is_first=cursor is None)


def _split_cursor(raw: str) -> tuple[str, str | None]:
    """The query string without its cursor, so that every page of a list shares one plan."""
    if "cursor=" not in raw:
        return raw, None
    match = _CURSOR.search(raw)
    if match is None:
        return raw, None
    rest = (raw[: match.start()] + raw[match.end() :]).lstrip("&")
    return rest, parse_qs(f"c={match[1]}").get("c", [""])[0]


def _read_page(
    ctx: Context, plan: ListPlan, connection: Any, values: Mapping[str, Any], *, is_first: bool
) -> Page:
    fetched = plan.statement.run(connection, values).fetchall()
    has_more = len(fetched) > plan.size
    if has_more:
        fetched.pop()
    width = plan.reader.width
    last = fetched[-1][width : width + plan.order_width] if has_more else ()
    if plan.is_reversed:
        fetched.reverse()
    rows = plan.reader.build([row[:width] for row in fetched])
    is_whole = plan.is_unpaged and is_first and not has_more
    total = len(rows) if is_whole else _total(ctx, plan, connection, values, fetched)
    for embedded in plan.embeds:
        embedded.fill(connection, rows, values)
    if plan.expansions:
        _embed(plan, connection, rows, fetched, dict(values))
    if plan.page is not None:
        return Page(rows, plan.page + 1 if has_more else None, total, plan.size, plan.page)
    return Page(
        rows, ctx.runtime.cursors.make(_scope(ctx, plan), last) if has_more else None, total, plan.size
    )


def _scope(ctx: Context, plan: ListPlan) -> str:
    """What a cursor is bound to: the list, its order and its parents."""
    return "/".join([plan.scope, *(str(ctx.parents[parent.parameter]) for parent in ctx.under)])


def _total(
    ctx: Context, plan: ListPlan, connection: Any, values: Mapping[str, Any], fetched: list[Any]
) -> int | None:
    if plan.total is None:
        return None
    if plan.total_in_page and fetched:
        return int(fetched[0][-1])
    counts = getattr(connection, "counts", None)
    if counts is None:
        return int(plan.total.run(connection, values).fetchone()[0])
    # SQLite: a count is good until another connection has written, which `data_version` tells for a few microseconds.
    version = connection.execute("PRAGMA data_version").fetchone()[0]
    bound = plan.total.bind(values)
    bound.pop("now", None)
    key = (plan.total.sql, tuple(bound.values()))
    known = counts.get(key)
    if known is not None and known[0] == version and "now" not in dict(plan.total.wanted):
        return int(known[1])
    total = int(plan.total.run(connection, values).fetchone()[0])
    if len(counts) >= 512:
        counts.clear()
    counts[key] = (version, total)
    return total


def _embed(
    plan: ListPlan, connection: Any, rows: list[dict[str, Any]], fetched: list[Any], values: dict[str, Any]
) -> None:
    """Put the embedded relations of every row under `expand`."""
    first = plan.reader.width + plan.order_width
    for index, expansion in enumerate(plan.expansions):
        keys = [row[first + index] for row in fetched]
        found = expansion.fetch(connection, keys, values)
        for row, key in zip(rows, keys, strict=True):
            empty: Any = [] if expansion.is_many else None
            row.setdefault("expand", {})[expansion.name] = found.get(key, empty)


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as a wire shows it, with its version where the resource counts them."""

    row: dict[str, Any]
    version: int | None


def get_row(ctx: Context, wire: CompiledWire, keys: tuple[Any, ...], raw: str = "") -> Shown:
    """The row with this key; `raw` may choose `fields` and `expand`. NotFound when there is none for this actor."""
    if raw:
        return _get_chosen(ctx, wire, keys, raw)
    plan = ctx.runtime.plans.row(wire, ctx.facts, ctx.under)
    if ctx.work is not None:
        found = plan.fetch(ctx.work.driver, keys, ctx.values)
    else:
        with ctx.runtime.database.reading() as connection:
            found = plan.fetch(connection, keys, ctx.values)
    if found is None:
        raise NotFound(f"there is no such {wire.model.spoken}")
    return Shown(found.row(), found.version)


def _get_chosen(ctx: Context, wire: CompiledWire, keys: tuple[Any, ...], raw: str) -> Shown:
    plan = ctx.runtime.plans.expanded(wire, ctx.facts, raw, ctx.under)
    values = {**ctx.values, **{f"key_{index}": key for index, key in enumerate(keys)}}
    with ctx.runtime.database.reading() as connection:
        fetched = plan.statement.run(connection, values).fetchall()
        if not fetched:
            raise NotFound(f"there is no such {wire.model.spoken}")
        rows = plan.reader.build([fetched[0][: plan.reader.width]])
        for embedded in plan.embeds:
            embedded.fill(connection, rows, values)
        _embed(plan, connection, rows, fetched, values)
    return Shown(rows[0], fetched[0][plan.reader.width] if wire.model.version else None)
