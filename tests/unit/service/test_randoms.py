"""Fields that the server draws at random: unique, drawn again when taken, nobody else's to set."""

import re
import threading

import pytest
import sqlalchemy as sa

from host.actor import ANONYMOUS
from tests.support.sites import Core, Declare

SITE = """
resources:
  team:
    access: public
    fields: {name: {type: string, unique: true}, code: {type: string, random: {length: 4, letters: AB}}}
  room:
    access: public
    fields: {key: {type: string, random: 12}}
"""


@pytest.fixture
def core(declare: Declare) -> Core:
    return declare(SITE)


def test_drawn_value_has_its_form(core: Core) -> None:
    assert re.fullmatch("[A-HJ-NP-Z2-9]{12}", core.anonymous.make("/api/rooms")["key"])


def test_taken_values_are_drawn_again(core: Core) -> None:
    codes = {core.anonymous.make("/api/teams")["code"] for _ in range(6)}
    assert len(codes) == 6  # of sixteen


def test_racing_writers_never_share_one(core: Core) -> None:
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda: codes.append(core.anonymous.make("/api/teams")["code"]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(codes)) == 6


def test_nothing_free_is_an_error_and_stores_nothing(core: Core) -> None:
    table = core.site.runtime.registry.model("site.team").table
    taken = [
        {"id": f"{n:08d}-0000-7000-8000-000000000000", "code": f"{n:04b}".replace("0", "A").replace("1", "B")}
        for n in range(16)
    ]
    with core.site.runtime.database.engine.begin() as connection:
        connection.execute(table.insert(), taken)
    assert core.anonymous.send("POST", "/api/teams", {}).status == 500
    with core.site.runtime.database.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 16


def test_other_duplicates_are_told_at_once(core: Core) -> None:
    core.anonymous.make("/api/teams", name="one")
    reply = core.anonymous.send("POST", "/api/teams", {"name": "one"})
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (409, "/name")


def test_caller_cannot_choose_it(core: Core) -> None:
    assert core.anonymous.send("POST", "/api/teams", {"code": "ABAB"}).status == 422


def test_redrawn_value_is_another(core: Core) -> None:
    team = core.anonymous.make("/api/teams")
    with core.site.runtime.writing(ANONYMOUS) as ctx:
        again = ctx.records("site.team").redraw(team["id"], "code")
    assert again["code"] != team["code"]


def test_bulk_draws_for_each_row(core: Core) -> None:
    reply = core.anonymous.send("POST", "/api/rooms/bulk", [{}, {}, {}])
    rows = core.anonymous.send("GET", "/api/rooms").json["items"]
    assert reply.status in (200, 201), reply.body
    assert len({row["key"] for row in rows}) == 3
