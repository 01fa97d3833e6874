"""Every surface by every kind of rule by every wire by every actor, against an oracle that never asks the host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from host.actor import SYSTEM
from host.testing.sites import Site
from host.web.door import Door
from host.web.http import Answer, Request
from host.web.operations import Operation
from tests.access_matrix.calling import Caller
from tests.access_matrix.probes import PROBES
from tests.access_matrix.running import OTHER_KINDS, Matrix, site_code, site_yaml
from tests.access_matrix.world import KINDS
from tests.support.sites import write_site


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """The site of the matrix on one database; what is written need not survive a power cut."""
    folder = tmp_path_factory.mktemp("matrix")
    url, name, server = f"sqlite:///{folder / 'matrix.sqlite3'}", "", None
    if request.param == "postgresql":
        name, server = (
            next(request.getfixturevalue("postgres_names")),
            request.getfixturevalue("postgres_server"),
        )
        url = server.create(name)
    site = Site.make(write_site(folder / "site", site_yaml(), site_code()), url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield Matrix(site)
    site.close()
    if server is not None:
        server.drop(name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_surface_says_what_the_oracle_says(matrix: Matrix, kind: str) -> None:
    """Whole on SQLite. On PostgreSQL the other wires, whose SQL has the same rules in it, are left to one kind."""
    is_whole = matrix.site.database.dialect == "sqlite" or kind == "split"
    wires = ("main", "nested", "plain", "legacy") if is_whole else ("main",)
    served = [it for it in matrix.site.app.operations if it.wire is None or it.wire.name in wires]
    assert matrix.run(served, [kind]) == []


def test_every_kind_of_operation_is_known(matrix: Matrix) -> None:
    operations = matrix.site.app.operations
    assert {it.kind for it in operations if it.wire is not None} <= set(PROBES)
    assert {it.kind for it in operations if it.wire is None} <= set(OTHER_KINDS)


def test_wires_have_every_surface(matrix: Matrix) -> None:
    served = [it for it in matrix.site.app.operations if it.wire and it.wire.model.name == "demo.note_own"]
    for wire in ("main", "plain", "nested", "legacy"):
        assert {it.kind for it in served if it.wire and it.wire.name == wire} == set(PROBES)


# --- the matrix itself notices ----------------------------------------------------------------------------------------


def operation(matrix: Matrix, kind: str) -> Operation:
    return next(
        it
        for it in matrix.site.app.operations
        if it.kind == kind and it.wire and it.wire.model.name == "demo.note_own" and it.wire.is_main
    )


def leaking(found: Operation) -> Operation:
    """The operation with a handler that forgets who asks."""

    def handle(request: Request) -> Answer:
        request.actor = SYSTEM
        return found.handler(request)

    return replace(found, handler=handle)


def test_surface_without_a_probe_fails(matrix: Matrix) -> None:
    other = replace(operation(matrix, "list"), kind="digest", id="digestDemoNoteOwn", path="/api/own/digest")
    found = matrix.run([other], ["own"])
    assert "no probe for the kind digest of digestDemoNoteOwn" in found


@pytest.mark.parametrize("kind", [kind for kind in PROBES if kind not in ("create", "import", "bulk_create")])
def test_surface_that_forgets_the_rule_fails(matrix: Matrix, kind: str) -> None:
    found = matrix.run([leaking(operation(matrix, kind))], ["own"])
    matrix.renew("own")
    assert any("as stranger" in failure for failure in found)


@pytest.mark.parametrize("kind", ["create", "import", "bulk_create"])
def test_surface_that_makes_rows_for_anybody_fails(matrix: Matrix, kind: str) -> None:
    making = next(
        it for it in matrix.site.app.operations
        if it.kind == kind and it.wire and it.wire.model.name == "demo.note_role" and it.wire.is_main
    )  # fmt: skip

    def handle(request: Request) -> Answer:
        request.actor = matrix.actors["admin"]
        return making.handler(request)

    found = matrix.run([replace(making, handler=handle)], ["role"])
    matrix.renew("role")
    assert any("as stranger" in failure for failure in found)


# --- what is told about access ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_agrees_with_the_oracle(matrix: Matrix, kind: str) -> None:
    world, door = matrix.worlds[kind], Door(matrix.site.app.pipeline(lambda request: None))
    admin = Caller(door, matrix.site.token(matrix.actors["admin"]))
    for person in (None, *matrix.people.values()):
        caller = Caller(door, matrix.site.token(matrix.actors[person.name])) if person else Caller(door)
        overview = caller.send("GET", f"/api/host/access?resource=demo.note_{kind}").json["operations"]
        for note in world.notes:
            told = caller.send("GET", f"/api/host/access?row=demo.note_{kind}/{note.id}")
            assert told.status == (200 if world.sees(person, note) else 404)
            wanted = {
                "get": world.sees(person, note), "update": world.may("update", person, note),
                "delete": world.may("delete", person, note), "touch": world.may("touch", person, note),
                "glance": world.may("touch", person, note), "ponder": world.may("touch", person, note),
                **dict.fromkeys(("download", "link", "history"), world.sees(person, note)),
                **dict.fromkeys(("upload", "clear"), world.may("update", person, note)),
            }  # fmt: skip
            if told.status == 200:
                assert told.json["operations"] == wanted
                shown = world.shown(person, note)
                fields = told.json["fields"]
                assert {name for name in ("cost", "hush") if fields[name]["readable"]} == set(shown)
            for at, (name, holds) in enumerate(wanted.items()):
                assert overview[_id(matrix, kind, name)] in ("depends", "yes" if holds else "no")
                if (at + world.notes.index(note)) % len(wanted):  # one of them for each row is explained
                    continue
                explained = _explained(
                    admin, person.id if person else "nobody", name, f"demo.note_{kind}/{note.id}"
                )
                assert (explained["allowed"] == "yes") == holds, (person, note.title, name, explained)


def _explained(admin: Caller, who: str, name: str, row: str) -> Any:
    reply = admin.send("GET", f"/api/host/access/explain?as={who}&operation={name}&row={row}")
    assert reply.status == 200, reply.body
    return reply.json


def _id(matrix: Matrix, kind: str, name: str) -> str:
    return next(
        it.id for it in matrix.site.app.operations
        if it.wire and it.wire.model.name == f"demo.note_{kind}" and it.wire.is_main
        and (it.details.get("name") or it.kind) == name
    )  # fmt: skip
