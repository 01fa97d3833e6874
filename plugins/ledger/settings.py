"""The settings of a user: typed keys with defaults, of which only what was changed is stored."""

from __future__ import annotations

from typing import Any

from host import Context, FieldError, Invalid

DEFAULTS: dict[str, Any] = {
    "dark_mode": False,
    "default_direction": "owed",
    "flip_colors": False,
    "due_date_enabled": False,
    "default_due_date_days": 30,
    "default_due_date_switch": False,
}
DIRECTIONS = ("owed", "lent")
MOST_DAYS = 3650


def read(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Every setting of the caller."""
    stored = ctx.records("setting").find_all(owner=ctx.actor.id)
    return {**DEFAULTS, **{row["name"]: row["value"] for row in stored}}


def write(ctx: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Change one setting. Raises Invalid for a value that it cannot have."""
    name, value = data["key"], data["value"]
    _check(name, value)
    records = ctx.records("setting")
    stored = records.find_all(owner=ctx.actor.id, name=name)
    if stored:
        records.update(stored[0]["id"], {"value": value})
    else:
        records.create({"name": name, "value": value})
    return read(ctx, {})


def _check(name: str, value: Any) -> None:
    wanted = type(DEFAULTS[name])
    said = {bool: "true or false", str: " or ".join(DIRECTIONS), int: f"a whole number from 0 to {MOST_DAYS}"}
    is_one = type(value) is wanted
    if name == "default_direction":
        is_one = value in DIRECTIONS
    if name == "default_due_date_days":
        is_one = is_one and 0 <= value <= MOST_DAYS
    if not is_one:
        raise Invalid("the value does not fit", [FieldError("/value", "value", f"expected {said[wanted]}")])
