"""Fields that a plugin adds to the account: seen and set by its owner as their rules say, and known to rules as `me.…`."""

from __future__ import annotations

import pytest

from tests.support.sites import Core, Declare

SITE = """
extend:
  account:
    fields:
      department: {type: string, max: 20, write: "role('admin')"}
      newsletter: {type: boolean, default: false, write: authenticated}
      risk: {type: integer, default: 3, read: "role('admin')"}
      quota: {type: integer, default: 5, set: server}
      token: {type: string, secret: true}
resources:
  memo:
    fields: {department: {type: string, required: true}}
    access: {read: "department == me.department", write: "role('admin')"}
"""
ME = "/api/auth/me"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, "")


def test_owner_reads_what_rules_show(core: Core) -> None:
    own, admin = core.user().get(ME).json, core.user(role="admin").get(ME).json
    assert (own["newsletter"], own["quota"], own["department"]) == (False, 5, None)
    assert (own.get("risk"), admin["risk"]) == (None, 3)
    assert "token" not in own


def test_owner_sets_what_rules_allow(core: Core) -> None:
    ann = core.user()
    changed = ann.patch(ME, {"newsletter": True})
    assert (changed.status, changed.json["newsletter"]) == (200, True)
    assert ann.get(ME).json["newsletter"] is True


def test_field_with_a_closed_rule_is_refused(core: Core) -> None:
    ann = core.user()
    refused = ann.patch(ME, {"department": "sales", "first_name": "Ann"})
    assert (refused.status, refused.pointers) == (403, ["/department"])
    assert ann.get(ME).json["first_name"] is None


@pytest.mark.parametrize("name", ["quota", "risk", "token"])
def test_field_without_a_write_rule_cannot_be_set(core: Core, name: str) -> None:
    ann = core.user()
    before = core.native("host.account", ann.actor.id)  # type: ignore[union-attr]
    assert ann.patch(ME, {name: 99}).status in (
        200,
        422,
    )  # the path takes more than it knows, and passes it over
    assert core.native("host.account", ann.actor.id)[name] == before[name]  # type: ignore[union-attr]


def test_rules_know_the_field(core: Core) -> None:
    admin, ann = core.user(role="admin"), core.user()
    assert admin.patch(ME, {"department": "sales"}).status == 200
    with core.writing() as ctx:
        for department in ("sales", "law"):
            ctx.records("demo.memo").create({"department": department})
        ctx.records("host.account").update(ann.actor.id, {"department": "law"})  # type: ignore[union-attr]
    shown = [row["department"] for row in ann.get("/api/demo/memos").json["items"]]
    assert (shown, core.user().get("/api/demo/memos").json["items"]) == (["law"], [])
