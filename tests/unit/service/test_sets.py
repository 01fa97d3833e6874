"""Many rows changed with one statement: noted and told of one by one, as the system alone."""

import pytest
import sqlalchemy as sa

from host.errors import Invalid
from host.service.context import Context
from tests.support.sites import Core, Declare

YAML = """
resources:
  parcel:
    mixins: [owned, stamped, versioned, soft_delete]
    fields:
      state: {type: enum, values: [sent, lost], default: sent}
      weight: {type: integer, min: 0, default: 1}
      note: {type: string, max: 100}
    checks: [{that: "weight < 100", at: weight, message: too heavy}]
    query: {search: {fields: {note: A}}}
    access: owner
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML)


def lose(ctx: Context, owner: str, *conditions: object, limit: int = 1000, **values: object) -> int:
    table = ctx.table("parcel")
    mine = (table.c.owner_id == owner, *conditions)
    return ctx.records("parcel").update_all(*mine, values=values or {"state": "lost"}, limit=limit)


def test_rows_of_a_condition_change(core: Core) -> None:
    ann, bob = core.user(), core.user()
    rows = [ann.make("/api/parcels", weight=number) for number in range(4)]
    other = bob.make("/api/parcels")
    ann.delete(f"/api/parcels/{rows[3]['id']}")
    with core.writing() as ctx:
        assert lose(ctx, str(ann.actor.id), ctx.table("parcel").c.weight > 0) == 2  # type: ignore[union-attr]  # it has signed in
    assert [ann.get(f"/api/parcels/{row['id']}").json["state"] for row in rows[:3]] == [
        "sent",
        "lost",
        "lost",
    ]
    assert bob.get(f"/api/parcels/{other['id']}").json["state"] == "sent"
    changed = ann.get(f"/api/parcels/{rows[1]['id']}")
    assert changed.json["updated_at"] > rows[1]["updated_at"]
    stale = ann.send("PATCH", f"/api/parcels/{rows[1]['id']}", {"weight": 5}, {"If-Match": '"1"'})
    assert stale.status == 412


def test_each_row_is_noted(core: Core) -> None:
    ann = core.user()
    rows = [ann.make("/api/parcels") for _ in range(3)]
    with core.writing() as ctx:
        assert lose(ctx, str(ann.actor.id), limit=2) == 2  # type: ignore[union-attr]  # it has signed in
        assert lose(ctx, str(ann.actor.id), ctx.table("parcel").c.state == "sent") == 1  # type: ignore[union-attr]
    with core.reading() as ctx:
        keys = [row["id"] for row in rows]
        for name, operation in (("host.event", "name"), ("host.audit_entry", "operation")):
            table = ctx.table(name)
            wanted = table.c.key.in_(keys), table.c[operation].in_(["site.parcel.updated", "update"])
            noted = ctx.execute(sa.select(table.c.key, table.c.changes).where(*wanted)).all()
            assert sorted(row[0] for row in noted) == sorted(keys), name
            assert all(row[1]["state"] == ["sent", "lost"] for row in noted)


def test_nothing_is_not_an_error(core: Core) -> None:
    with core.writing() as ctx:
        assert lose(ctx, "00000000-0000-7000-8000-000000000000") == 0


def test_check_of_the_table_refuses_all(core: Core) -> None:
    ann = core.user()
    row = ann.make("/api/parcels")
    with pytest.raises(Invalid), core.writing() as ctx:
        lose(ctx, str(ann.actor.id), weight=100)  # type: ignore[union-attr]  # it has signed in
    assert ann.get(f"/api/parcels/{row['id']}").json["weight"] == 1


def test_only_the_system_may(core: Core) -> None:
    ann = core.user()
    with core.writing(ann.actor) as ctx, pytest.raises(RuntimeError, match="as_system"):
        lose(ctx, "x")


@pytest.mark.parametrize("name", ["note", "nothing"])
def test_what_is_more_than_a_column_is_refused(core: Core, name: str) -> None:
    with core.writing() as ctx, pytest.raises(RuntimeError, match="use update"):
        lose(ctx, "x", **{name: "x"})
