"""Actions of the tricky shop: one for every way to be called and to answer."""

from decimal import Decimal

from host import Stream


def send(ctx, row, data):
    """An item action that answers the resource."""
    return ctx.records("order").update(row["id"], {"status": "sent"})


def lines(ctx, row, data):
    """An item action that answers a list of a type."""
    return row["lines"] or []


def figures(ctx, data):
    """A collection action with its input in the query string."""
    found = ctx.records("order").find_all(limit=data.get("limit", 10))
    return {
        "orders": len(found),
        "sum": sum((row["total"] or Decimal(0) for row in found), Decimal(0)),
        "latest": ctx.now,
    }


def count_lines(ctx, data):
    """A collection action with a body of its own type."""
    return {"orders": len(data["lines"]), "sum": Decimal(0), "latest": None}


def slip(ctx, row, data):
    """An item action that answers bytes."""
    return Stream([row["number"].encode()], "text/plain; charset=utf-8")


def forget(ctx, data):
    """A collection action that takes and answers nothing."""


def echo(ctx, data):
    """An endpoint of no resource."""
    return data


def clock(ctx, data):
    """An endpoint with GET."""
    return {"orders": 0, "sum": Decimal(0), "latest": ctx.now}
