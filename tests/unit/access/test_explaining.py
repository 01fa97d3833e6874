"""Explanations: what is allowed, the clause that decided it, what it looked at, and what becomes of each field."""

from __future__ import annotations

from typing import Any

import pytest

from host.access import facts_of
from host.access.explaining import Explanation, explain
from host.access.questions import question
from host.access.reports import lines, report
from host.actor import ANONYMOUS, Actor
from host.errors import Invalid, NotFound
from tests.support.sites import Core, Declare

SITE = """
extend: {account: {fields: {level: {type: integer, default: 1}}}}
rules:
  chief: {when: "any(members, person == me and rank == 'chief')", doc: who leads the team}
resources:
  team:
    mixins: [owned]
    fields:
      name: {type: string, max: 40}
      budget: {type: integer, read: owner, write: "role('admin')"}
      code: {type: string, max: 9, set: once}
    relations: {members: {to: membership, many: true, by: team}}
    access:
      list: [owner, "member(members)"]
      get: [owner, "member(members)"]
      create: authenticated
      update: [owner, chief]
      delete: "owner and me.level > 3"
    actions:
      close: {call: actions.close, access: "role('admin') or owner", path: close}
      sweep: {call: actions.sweep, target: collection, access: "role('admin')"}
  membership:
    fields: {rank: {type: enum, values: [chief, plain], default: plain}}
    relations: {team: {to: team, required: true}, person: {to: account, required: true}}
    access: {read: authenticated, write: team.owner == me}
"""
CODE = """
def close(ctx, row, data): ...
def sweep(ctx, data): ...
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    """A site whose only rows are those of each test."""
    return declare(SITE, CODE)


def team_of(core: Core, owner: Actor, *people: tuple[Actor, str]) -> str:
    with core.writing() as ctx:
        team = ctx.records("demo.team").create({"name": "Red", "owner": owner.id})
        for person, rank in people:
            ctx.records("demo.membership").create({"team": team["id"], "person": person.id, "rank": rank})
    return str(team["id"])


def asked(core: Core, actor: Actor, operation: str, subject: str) -> Explanation:
    runtime = core.site.runtime
    with core.reading(actor) as ctx:
        wanted = question(runtime.registry, operation, subject)
        found = explain(ctx.transaction.connection, runtime.policy, wanted, facts_of(actor), ctx.values)
    assert found is not None
    return found


def text(core: Core, actor: Actor, operation: str, subject: str) -> str:
    wanted = question(core.site.runtime.registry, operation, subject)
    told = report(asked(core, actor, operation, subject), wanted, "somebody", sorted(actor.roles))
    return "\n".join(lines(told))


def deciding(found: Explanation) -> Any:
    return found.deciding and found.deciding.clause.text


def test_deciding_clause_is_the_innermost(core: Core) -> None:
    ann, bob = core.site.account(), core.site.account()
    team = team_of(core, ann, (bob, "chief"))
    own = asked(core, ann, "update", f"team/{team}")
    led = asked(core, bob, "update", f"team/{team}")
    assert (own.outcome, deciding(own)) == ("allowed", "owner")
    assert (led.outcome, deciding(led)) == ("allowed", "any(members, person == me and rank == 'chief')")


def test_memberships_are_told(core: Core) -> None:
    ann, bob, eve = core.site.account(), core.site.account(), core.site.account()
    team = team_of(core, ann, (bob, "plain"), (eve, "chief"))
    found = asked(core, bob, "update", f"team/{team}")
    rows = [verdict.rows for verdict in found.verdicts if verdict.rows is not None]
    assert (found.outcome, len(rows), [row["rank"] for row in rows[0]]) == ("forbidden", 1, ["plain"])
    assert "# who leads the team" in text(core, bob, "update", f"team/{team}")


def test_compared_values_are_told(core: Core) -> None:
    ann = core.site.account()
    team = team_of(core, ann)
    found = asked(core, ann, "delete", f"team/{team}")
    assert deciding(found) == "me.level > 3"
    assert found.deciding is not None and found.deciding.looked_at == {"me.level": 1}
    assert "me.level > 3  (me.level is 1)" in text(core, ann, "delete", f"team/{team}")


def test_hidden_row_says_so(core: Core) -> None:
    ann, admin = core.site.account(), core.site.account(role="admin")
    team = team_of(core, ann)
    assert asked(core, core.site.account(), "update", f"team/{team}").outcome == "hidden"
    closing = asked(core, admin, "close", f"team/{team}")  # its own rule holds, the row is not visible
    assert (closing.allowed, closing.outcome) == ("no", "hidden")


def test_nobody_has_to_sign_in(core: Core) -> None:
    team = team_of(core, core.site.account())
    assert asked(core, ANONYMOUS, "create", "team").outcome == "unauthenticated"
    assert asked(core, ANONYMOUS, "get", f"team/{team}").outcome == "hidden"


def test_without_a_row_it_depends(core: Core) -> None:
    ann = core.site.account()
    found = asked(core, ann, "list", "team")
    assert (found.allowed, found.outcome, deciding(found)) == ("depends", "depends", "owner")
    assert asked(core, ann, "create", "team").allowed == "yes"
    assert asked(core, ann, "sweep", "team").outcome == "forbidden"
    assert asked(core, core.site.account(role="admin"), "sweep", "team").outcome == "allowed"


def test_fields_say_why_not(core: Core) -> None:
    ann, bob = core.site.account(), core.site.account()
    team = team_of(core, ann, (bob, "chief"))
    found = {it.name: it for it in asked(core, bob, "update", f"team/{team}").fields}
    assert (found["budget"].readable, found["budget"].hidden) == (False, "its rule is owner")
    assert (found["budget"].writable, found["budget"].refused) == (False, "its rule is role('admin')")
    assert (found["name"].readable, found["name"].writable, found["name"].refused) == (True, True, None)
    assert found["code"].refused == "it is set once, on create"
    assert found["id"].refused == "only the server sets it"
    said = text(core, bob, "update", f"team/{team}")
    assert "hidden  budget: its rule is owner" in said
    assert "unwritable  budget: its rule is role('admin')" in said


@pytest.mark.parametrize(
    ("operation", "subject", "said"),
    [
        ("get", "teem/1", "there is no resource 'teem'; did you mean \"team\"?"),
        ("gett", "team", "demo.team has no operation 'gett'; did you mean \"get\"?"),
        ("call", "demo.nothing", "there is no endpoint 'demo.nothing'"),
    ],
)
def test_unknown_names_are_guessed(core: Core, operation: str, subject: str, said: str) -> None:
    with pytest.raises(NotFound) as error:
        question(core.site.runtime.registry, operation, subject)
    assert error.value.detail == said


@pytest.mark.parametrize("key", ["1", "\x00", "a/b", "x" * 600])
def test_key_that_cannot_be_one_is_refused(core: Core, key: str) -> None:
    with pytest.raises(Invalid, match=r"the key of demo\.team"):
        question(core.site.runtime.registry, "get", f"team/{key}")


def test_rule_of_another_plugin_keeps_its_words(core: Core) -> None:
    from host.access.clauses import clauses  # the parts of what the tests above see as a whole

    rules = core.site.runtime.policy.rules
    found = clauses(("demo.chief",), rules, "site")
    assert [(it.plugin, it.depth) for it in found] == [("site", 0), ("demo", 1)]
