"""Tables in the database itself: constraints, indexes and names, on both databases."""

import pytest
import sqlalchemy as sa

from tests.support.sites import Core, Declare

LONG = "a_resource_with_a_rather_long_name_for_a_table"
SITE = f"""
resources:
  member:
    mixins: [owned, stamped, soft_delete]
    access: authenticated
    fields:
      mail: {{type: email, unique: true}}
      nick: {{type: string, max: 20}}
      level: {{type: enum, values: [low, "it's", "100%"], default: low}}
      points: {{type: integer, column: pts, default: 0}}
    relations: {{boss: {{to: member, on_delete: set_null}}}}
    unique: [{{fields: [nick], lower: [nick]}}, {{fields: [owner, points], where: "level == 'low'"}}]
    indexes: [[level, -points], {{fields: [nick], where: "points > 5"}}]
    query: {{default_sort: -created_at}}
  {LONG}:
    access: public
    fields: {{first_value_with_a_long_name: string, second_value_with_a_long_name: string, size: integer}}
    unique: [[first_value_with_a_long_name, second_value_with_a_long_name]]
    checks: [{{that: "size > 5", at: size, message: too small}}]
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def _indexes(core: Core) -> dict[str, bool]:
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'site_member' AND sql IS NOT NULL"
    if core.dialect == "postgresql":
        sql = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'site_member'"
    with core.site.database.reading() as connection:
        return {name: "UNIQUE" in text for name, text in connection.execute(sql).fetchall()}


def test_declared_indexes_exist(core: Core) -> None:
    found = _indexes(core)
    wanted = {
        "uq_site_member_nick_lower": True, "uq_site_member_owner_id_pts": True, "uq_site_member_mail": True,
        "ix_site_member_level_pts": False, "ix_site_member_nick": False, "ix_site_member_boss_id": False,
        "ix_site_member_owner_id_created_at_id": False,
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted


def test_owner_list_uses_its_index(core: Core) -> None:
    if core.dialect != "sqlite":
        pytest.skip("PostgreSQL scans small tables whatever indexes there are")
    sql = "EXPLAIN QUERY PLAN SELECT * FROM site_member WHERE owner_id = 'a' ORDER BY created_at DESC, id DESC LIMIT 5"
    with core.site.database.reading() as connection:
        plan = " ".join(str(tuple(row)) for row in connection.execute(sql).fetchall())
    assert "ix_site_member_owner_id_created_at_id" in plan and "TEMP B-TREE" not in plan


def test_deleted_row_frees_its_unique_values(core: Core) -> None:
    ann = core.user()
    row = ann.make("/api/members", mail="free@x.org", nick="Free")
    duplicate = ann.post("/api/members", {"mail": "free@x.org", "points": 1})
    assert (duplicate.status, duplicate.pointers) == (409, ["/mail"])
    folded = ann.post("/api/members", {"nick": "FREE", "points": 1})
    assert (folded.status, folded.pointers) == (409, ["/nick"])
    ann.delete(f"/api/members/{row['id']}")
    assert ann.post("/api/members", {"mail": "free@x.org", "nick": "FREE", "points": 1}).status == 201


def test_database_holds_what_is_declared(core: Core) -> None:
    ann = core.user()
    row = ann.make("/api/members", level="it's", points=3)
    for assignment in ("level = 'high'", "level = NULL", "boss_id = '01890a5d-ac96-774b-bcce-b302099a8057'"):
        statement = sa.text(f"UPDATE site_member SET {assignment} WHERE id = :id")
        with pytest.raises(sa.exc.IntegrityError), core.site.database.writing() as connection:
            connection.execute(statement, {"id": row["id"]})


def test_long_names_do_not_hide_the_field(core: Core) -> None:
    path, caller = f"/api/{LONG}s", core.anonymous
    values = {"first_value_with_a_long_name": "a", "second_value_with_a_long_name": "b"}
    caller.make(path, **values)
    duplicate = caller.post(path, values)
    assert (duplicate.status, sorted(duplicate.pointers)) == (409, sorted(f"/{name}" for name in values))
    assert caller.post(path, {"size": 1}).json["errors"] == [
        {"pointer": "/size", "code": "check", "detail": "too small"}
    ]


def test_tables_know_their_owner_and_columns(core: Core) -> None:
    model = core.site.runtime.registry.model("site.member")
    assert (model.table.name, model.table.info["owner"]) == ("site_member", "site")
    assert {"pts", "owner_id", "boss_id", "deleted_at"} <= set(model.table.c.keys())
