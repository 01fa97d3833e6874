"""What a change of rules opens and closes, for whom: proven over made-up actors and rows, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from host.access.changes import Change, changes
from host.declaration.nodes import Declaration
from host.discovery import load
from host.fields.kinds import kinds, vocabulary

SITE = """
grammar: 1
site: {{name: Test}}
rules: {{staff: {staff}}}
resources:
  team:
    mixins: [owned{deleted}]
    fields:
      status: {{type: enum, values: [draft, open, closed], default: draft}}
      size: integer
      note: {{type: string{note}}}
    relations: {{members: {{to: membership, many: true, by: team}}}}
    access: {{read: {read}, write: {write}}}
    wires: {wires}{sync}
  membership:
    fields:
      rank: {{type: enum, values: [chief, plain], default: plain}}
      role: {{type: enum, values: [lead, hand], default: hand}}
    relations: {{team: {{to: team, required: true}}, {person}}}
    access: "role('admin')"
endpoints: {{}}
"""
FIRST = {
    "staff": "\"role('staff')\"", "deleted": "", "note": "", "read": "public", "write": "\"role('admin')\"",
    "wires": "{main: {}}", "sync": "", "person": "person: {to: account, required: true}",
}  # fmt: skip
Compare = Callable[..., list[Change]]


@pytest.fixture
def compared(tmp_path: Path) -> Compare:
    """The changes when parts of the site become others."""
    numbers = count()

    def linked(given: dict[str, str]) -> Declaration:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        (folder / "resources.yaml").write_text(SITE.format(**{**FIRST, **given}))
        return load(folder, vocabulary(kinds()), {}).declaration

    return lambda old, new: changes(linked(old), linked(new))


def on_list(found: list[Change]) -> tuple[str, set[str]] | None:
    """The effect on listing teams, and for whom."""
    return next(
        ((it.effect, set(it.who)) for it in found if (it.subject, it.what) == ("site.team", "list")), None
    )


def ruled(rule: str) -> dict[str, str]:
    return {"read": f'"{rule}"' if not rule.startswith("[") else rule}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("owner", "owner"),
        ("status == 'draft' or status == 'open'", "status in ['open', 'draft']"),
        ("not (status == 'draft')", "status != 'draft'"),
        ("size > 3", "3 < size"),
        (
            "owner and (status == 'open' or status == 'draft')",
            "owner and status == 'open' or owner and status == 'draft'",
        ),
        ("staff", "role('staff')"),
        ("member(members)", "any(members, person == me)"),
        ("member('team', 'lead')", "any(members, person == me and role == 'lead')"),
        ("size >= 4 and size > 2", "size >= 4"),
    ],
)
def test_rule_in_other_words_is_the_same(compared: Compare, before: str, after: str) -> None:
    assert on_list(compared(ruled(before), ruled(after))) is None


@pytest.mark.parametrize(
    ("before", "after", "who"),
    [
        ("owner", "owner or role('staff')", {"role staff"}),
        ("owner", "authenticated", {"authenticated"}),
        ("authenticated", "public", {"anonymous"}),
        ("owner and status == 'draft'", "owner", {"account of owner"}),
        ("size > 5", "size > 3", {"anonymous", "authenticated"}),
        ("owner", "owner or member(members)", {"member of members"}),
        (
            "any(members, person == me and rank == 'chief')",
            "member(members)",
            {"member of members with rank plain"},
        ),
        ("member('team', 'lead')", "member('team')", {"member of members with role hand"}),
        ("status == 'open'", "status in ['open', 'closed']", {"anonymous", "authenticated"}),
        ("all(members, rank == 'plain')", "public", {"anonymous", "authenticated"}),
    ],
)
def test_wider_rule_opens_and_back_closes(compared: Compare, before: str, after: str, who: set[str]) -> None:
    opened = on_list(compared(ruled(before), ruled(after)))
    assert opened is not None and opened[0] == "opened"
    assert opened[1] == who
    assert on_list(compared(ruled(after), ruled(before))) == ("closed", who)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("status == 'open'", "status == 'closed'"),
        ("owner", "member(members)"),
        ("size > 3", "size < 5"),
        ("owner and size == 1", "owner and status == 'open'"),
        (
            " or ".join(f"size + {it} == 3" for it in range(14)),
            " or ".join(f"size + {it} == 4" for it in range(14)),
        ),
    ],
)
def test_what_is_not_proven_is_changed(compared: Compare, before: str, after: str) -> None:
    found = on_list(compared(ruled(before), ruled(after)))
    assert found is not None and found[0] == "changed"


def test_named_rule_is_followed(compared: Compare) -> None:
    opened = on_list(compared(ruled("staff"), {**ruled("staff"), "staff": "authenticated"}))
    assert opened == ("opened", {"authenticated"})


def test_same_words_over_another_relation_are_changed(compared: Compare) -> None:
    other = "person: {to: account, required: true}, other: {to: account}"
    by = "any(members, person == me)"
    assert on_list(compared(ruled(by), {**ruled(by), "person": other})) is None
    moved = {**ruled(by), "person": "person: {to: account, required: true, by: number}"}
    (found,) = [it for it in compared(ruled(by), moved) if it.what == "list" and it.subject == "site.team"]
    assert found.effect == "changed"


def test_hidden_rows_that_appear_open_their_updates(compared: Compare) -> None:
    found = compared(
        {"read": "owner", "write": "authenticated"}, {"read": "public", "write": "authenticated"}
    )
    updating = next(it for it in found if (it.subject, it.what) == ("site.team", "update"))
    assert (updating.effect, updating.who) == ("opened", ("authenticated",))


def test_field_rules_are_compared(compared: Compare) -> None:
    found = compared({"note": ", read: owner, write: owner"}, {"note": ", write: \"role('staff')\""})
    told = {it.what: it.effect for it in found}
    assert (told["field note read"], told["field note update"]) == ("opened", "changed")
    secret = {it.what: it.effect for it in compared({}, {"note": ", set: server"})}
    assert secret == {"field note update": "closed", "field note create": "closed"}


def test_deleted_rows_that_come_back_are_changed(compared: Compare) -> None:
    found = compared({"deleted": ", soft_delete"}, {})
    assert on_list(found) == ("changed", set())


def test_wires_are_another_way_in(compared: Compare) -> None:
    found = compared({}, {"wires": "{main: {hide: [size]}, old: {path: /old, operations: [list]}}"})
    told = {it.what: (it.effect, it.who) for it in found}
    assert told["wire old: list"] == ("opened", ("anonymous", "authenticated"))
    assert told["wire main: field size"][0] == "closed"
    assert "wire old: get" not in told


def test_new_and_removed_resources_are_told(compared: Compare) -> None:
    found = compared({}, {"wires": "{main: {}}\n  extra: {fields: {a: string}, access: authenticated}"})
    assert {(it.what, it.effect, it.who) for it in found if it.subject == "site.extra"} >= {
        ("list", "opened", ("authenticated",)),
        ("field a read", "opened", ("anonymous", "authenticated")),
    }
    assert compared({}, {}) == []


def test_sync_opens_pushing_and_pulling(compared: Compare) -> None:
    found = compared({}, {"sync": "\n    sync: true"})
    opened = {it.what for it in found if it.what.startswith("sync")}
    assert opened == {"sync push", "sync pull"}
