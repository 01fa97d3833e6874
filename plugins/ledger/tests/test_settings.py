"""The settings of a user."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.ledger.tests.book import Book, Keeper

KEYS = {
    "dark_mode", "default_direction", "flip_colors", "due_date_enabled", "default_due_date_days",
    "default_due_date_switch",
}  # fmt: skip


def test_every_setting_has_a_default(book: Book) -> None:
    found = book.keeper().get("/api/settings")
    assert set(found) == KEYS
    assert (found["dark_mode"], found["default_due_date_days"]) == (False, 30)


def test_settings_are_changed_one_by_one(ann: Keeper, bob: Keeper) -> None:
    assert ann.put("/api/settings/dark_mode", {"value": True})["dark_mode"] is True
    ann.put("/api/settings/default_direction", {"value": "lent"})
    ann.put("/api/settings/dark_mode", {"value": False})
    found = ann.put("/api/settings/default_due_date_days", {"value": 14})
    assert found == ann.get("/api/settings")
    assert (found["dark_mode"], found["default_direction"], found["default_due_date_days"]) == (
        False,
        "lent",
        14,
    )
    assert bob.get("/api/settings")["default_due_date_days"] == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dark_mode", "yes"), ("dark_mode", 1), ("default_direction", "up"), ("default_due_date_days", True),
        ("default_due_date_days", -1), ("default_due_date_days", 1.5), ("flip_colors", None), ("colour", True),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(ann: Keeper, name: str, value: Any) -> None:
    said = ann.send("PUT", f"/api/settings/{name}", {"value": value})
    assert (said.status, type(said.body["error"])) == (400, str)


def test_nobody_has_no_settings(book: Book) -> None:
    assert book.nobody().send("GET", "/api/settings").status == 401
    assert book.nobody().send("PUT", "/api/settings/dark_mode", {"value": True}).status == 401
