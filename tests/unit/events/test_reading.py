"""Which fields rules read, whichever way they lead to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.application import load_site
from host.events.reading import Fields, fields_of_rules
from tests.support.sites import write_site

YAML = """
rules:
  alive: {when: "state != 'gone' and open_team"}
  open_team: {when: "team.kind == 'open'"}
resources:
  team:
    fields: {kind: string, budget: {type: decimal, read: "member('team', 'lead')"}, motto: string}
    relations: {members: {to: membership, many: true, by: team}}
    access: {read: "member(members)", write: "any(members, level > 3)"}
  membership:
    fields: {level: integer, role: {type: enum, values: [lead, hand]}, since: date}
    relations: {team: {to: team, required: true}, account: {to: account, required: true}}
    access: {every: "account == me", create: "team.motto == 'join'"}
  task:
    mixins: [owned, soft_delete]
    fields:
      state: string
      hours: decimal
      rate: decimal
      cost: {type: decimal, computed: "hours * rate"}
      title: {type: string, write: "level == 1"}
      level: integer
      text: string
      secret: {type: string, secret: true}
    relations:
      team: {to: team, read: "text == 'x'"}
      helper: {to: account}
    access: {list: alive, get: "alive or helper == me", create: authenticated, update: owner, delete: "cost < 100"}
  plain: {fields: {a: string}, access: public}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Fields:
    loaded = load_site(write_site(tmp_path_factory.mktemp("site"), YAML), {})
    return fields_of_rules(loaded.registry.declaration)


def test_own_fields_and_relations_count(found: Fields) -> None:
    assert found["site.task"] >= {"state", "team", "helper", "owner", "level", "text"}


def test_computed_fields_are_what_they_are_made_of(found: Fields) -> None:
    assert found["site.task"] >= {"hours", "rate"}
    assert "cost" not in found["site.task"]


def test_nothing_else_counts(found: Fields) -> None:
    assert not found["site.task"] & {"title", "secret", "deleted_at"}
    assert "site.plain" not in found


def test_fields_at_the_end_of_paths_count_there(found: Fields) -> None:
    assert found["site.team"] == {"kind", "motto"}


def test_memberships_count_with_account_and_role(found: Fields) -> None:
    assert found["site.membership"] == {"team", "account", "role", "level"}


def test_bundled_plugins_are_understood(checkout: Path) -> None:
    found = fields_of_rules(load_site(checkout, {}).registry.declaration)
    assert found["freelance.invoice"] & {"created_by", "owner"}
