"""Rules as resources declare them: named, dotted, over dates and the actor's own fields; and their explanations."""

from pathlib import Path

import pytest

from host.access.examples import run_examples
from host.testing.sites import Site
from tests.support.sites import Core, Declare, write_site

SITE = """
rules:
  own_recent:
    when: "owner and day >= '2026-01-01'"
    doc: your own of this year
    resource: entry
    examples:
      - {as: {id: u1}, row: {owner: u1, day: 2026-05-01}, expect: allow}
      - {as: {id: u1}, row: {owner: u1, day: 2025-05-01}, expect: deny}
      - {as: {id: u2}, row: {owner: u1, day: 2026-05-01}, expect: deny}
      - {as: null, row: {owner: u1, day: 2026-05-01}, expect: deny}
  team_mate: {when: "any(group.members, person == me)"}
resources:
  group:
    access: public
    fields: {name: string, open: {type: boolean, default: false}}
    relations: {members: {to: membership, many: true, by: group}}
  membership:
    access: public
    relations: {group: {to: group, required: true}, person: {to: account, required: true}}
  entry:
    mixins: [owned]
    plural: entries
    fields:
      day: date
      at: datetime
      took: duration
      price: decimal
      mail: email
      clock: time
    relations: {group: group}
    checks:
      - "at is None or at >= '2020-01-01T00:00:00Z'"
      - "took is None or took <= 'PT24H'"
      - {that: "price is None or price < 99.95", at: price}
      - "clock is None or clock > '06:00'"
    access:
      create: authenticated
      list: ["own_recent", "group.open", "mail == me.email"]
      get: ["own_recent", "group.open", "mail == me.email", "role('admin')"]
      update: "own_recent and took in ['PT1H', 'PT2H']"
      delete: "not (price > 5)"
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(
        SITE.replace("2026-05-01", '"2026-05-01"')
        .replace("2025-05-01", '"2025-05-01"')
        .replace('"team', "team")
    )


def test_named_rule_over_dates(core: Core) -> None:
    ann = core.user()
    old, new = ann.make("/api/entries", day="2025-12-31"), ann.make("/api/entries", day="2026-01-01")
    assert [row["id"] for row in ann.get("/api/entries").json["items"] if row["owner"] == new["owner"]] == [
        new["id"]
    ]
    assert [ann.get(f"/api/entries/{row['id']}").status for row in (old, new)] == [404, 200]
    assert core.user(role="admin").get(f"/api/entries/{old['id']}").status == 200


def test_dotted_path_and_actor_field(core: Core) -> None:
    ann, bob = core.user(), core.user()
    group = core.anonymous.make("/api/groups", open=True)
    shared = ann.make("/api/entries", group=group["id"])
    mailed = ann.make("/api/entries", mail=bob.actor.account["email"])  # type: ignore[union-attr]
    assert {row["id"] for row in bob.get("/api/entries").json["items"]} == {shared["id"], mailed["id"]}
    assert {row["id"] for row in core.anonymous.get("/api/entries").json["items"]} == {shared["id"]}


@pytest.mark.parametrize(
    ("values", "status"),
    [({"took": "PT1H"}, 200), ({"took": "PT120M"}, 200), ({"took": "PT3H"}, 403), ({"took": None}, 403)],
)
def test_durations_are_compared_as_such(core: Core, values: dict[str, object], status: int) -> None:
    ann = core.user()
    row = ann.make("/api/entries", day="2026-01-01", **values)
    assert ann.patch(f"/api/entries/{row['id']}", {"mail": "x@y.org"}).status == status


@pytest.mark.parametrize(
    "values",
    [{"at": "2019-12-31T23:59:59Z"}, {"took": "PT24H0.000001S"}, {"price": "99.95"}, {"clock": "05:59:59"}],
)
def test_checks_compare_native_values(core: Core, values: dict[str, str]) -> None:
    assert core.user().post("/api/entries", values).status == 422
    assert (
        core.user()
        .post("/api/entries", {"at": "2020-01-01T00:00:00Z", "took": "P1D", "price": "99.94"})
        .status
        == 201
    )


def test_absent_value_denies_under_not(core: Core) -> None:
    ann = core.user()
    rows = [ann.make("/api/entries", day="2026-01-01", price=price) for price in ("5", "6", None)]
    assert [ann.delete(f"/api/entries/{row['id']}").status for row in rows] == [204, 403, 403]


def test_examples_are_decided(core: Core) -> None:
    assert run_examples(core.site.runtime.registry) == []


def test_two_sites_share_nothing(tmp_path: Path) -> None:
    text = "resources: {thing: {access: public, fields: {name: string}, query: {filter: [name]}}}"
    sites = [
        Site.make(write_site(tmp_path / name, text), f"sqlite:///{tmp_path / name}.db")
        for name in ("one", "two")
    ]
    first, second = (Core(site) for site in sites)
    first.anonymous.make("/api/things", name="a")
    assert second.anonymous.get("/api/things?count=exact").json["total"] == 0
    ann = first.user()
    assert second.anonymous.get("/api/auth/me", {"Authorization": f"Bearer {ann.token}"}).status == 401
    assert first.site.runtime.registry.metadata is not second.site.runtime.registry.metadata
    assert first.site.runtime.registry.model("site.thing") is not second.site.runtime.registry.model(
        "site.thing"
    )
    with first.writing() as ctx, second.writing() as other:
        assert ctx.model("thing") is not other.model("thing")
    for site in sites:
        site.close()
