"""Invoices: what the server computes, duplication and statistics."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from host import Change, Context, Invalid

from .totals import invoice_totals

Row = dict[str, Any]
CENT = Decimal("0.01")
TOO_MUCH = Decimal(10) ** 12
COPIED = ("client", "items", "tax", "discount", "currency", "notes", "payment_terms")


def prepare(ctx: Context, change: Change) -> None:
    """Fill in the date and the currency, and compute amounts and totals; what a caller sends for them does not count."""
    values = change.values
    if change.get("date") is None:
        values["date"] = ctx.now.date()
    values["currency"] = (change.get("currency") or ctx.settings["default_currency"]).upper()
    for name in ("tax", "discount"):
        if change.get(name) is None:
            values[name] = Decimal(0)
    if "items" in values:
        values["items"] = [_line(index, item) for index, item in enumerate(values["items"])]
    subtotal = sum((item["amount"] for item in change.get("items")), Decimal(0))
    _check_size("items", subtotal)
    values["subtotal"] = subtotal
    values["total"] = subtotal + change.get("tax") - change.get("discount")
    _check_size("tax", values["total"])


def _line(index: int, item: Row) -> Row:
    """A line with its amount: quantity times rate, rounded half up to cents; else the amount that was given."""
    quantity, rate = item.get("quantity"), item.get("rate")
    if quantity is None or rate is None:
        if item.get("amount") is None:
            raise Invalid.at(f"/items/{index}/amount", "check", "give a quantity and a rate, or an amount")
        quantity, rate = Decimal(1), item["amount"]
    amount = (quantity * rate).quantize(CENT, ROUND_HALF_UP)
    _check_size(f"items/{index}/amount", amount)
    return {"description": item["description"], "quantity": quantity, "rate": rate, "amount": amount}


def _check_size(pointer: str, amount: Decimal) -> None:
    if abs(amount) >= TOO_MUCH:
        raise Invalid.at(f"/{pointer}", "range", "the amount is too large")


def set_status(ctx: Context, invoice: Row, data: Row) -> Row:
    """Change the status alone."""
    return ctx.records("invoice").update(invoice["id"], {"status": data["status"]})


def duplicate(ctx: Context, invoice: Row, data: Row) -> Row:
    """A draft with the same lines, dated today, due after as many days as the original was."""
    today = ctx.now.date()
    term = max(invoice["due_date"] - invoice["date"], timedelta(0))
    copied = {name: invoice[name] for name in COPIED}
    return ctx.records("invoice").create({**copied, "date": today, "due_date": today + term})


def summary(ctx: Context, data: Row) -> Row:
    """Counts and sums over the caller's invoices, in one query."""
    table = ctx.table("invoice")
    statement = sa.select(*invoice_totals(table)).where(*ctx.records("invoice").visible())
    return dict(ctx.execute(statement).mappings().one())
