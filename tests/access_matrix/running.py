"""The site of the matrix, its rows, and a run over every operation of its resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from host.actor import SYSTEM, Actor
from host.testing.contents import uploaded
from host.testing.sites import Site
from host.web.door import Door
from host.web.operations import Operation
from host.web.router import Router
from tests.access_matrix.calling import Caller
from tests.access_matrix.cases import Case
from tests.access_matrix.probes import PROBES, Probe
from tests.access_matrix.world import BOARDS, KINDS, NOTES, PEOPLE, Board, Note, Person, World

HERE = Path(__file__).parent
OTHER_KINDS = ("access", "endpoint", "identity", "health", "metrics", "page")
"""What belongs to no resource, and has tests of its own."""


def site_yaml() -> str:
    """The declarations: one resource for each kind of rule."""
    template = (HERE / "note.yaml").read_text()
    notes = [
        template.replace("ACCESS", rules.yaml).replace("ACTION", rules.touch_yaml).replace("KIND", kind)
        for kind, rules in KINDS.items()
    ]
    types = "types:\n  matrix_tally: {type: object, fields: {rows: integer}}\n"
    return types + (HERE / "site.yaml").read_text() + "".join(notes)


def site_code() -> str:
    """The functions of its actions."""
    return (HERE / "actions.py").read_text()


@dataclass(eq=False)
class Store:
    """Rows that are made and removed beside the host's surfaces."""

    site: Site

    def run_jobs(self) -> list[str]:
        """What became of the jobs that waited."""
        return [it.outcome for it in self.site.run_jobs()]

    def copy(self, world: World, note: Note) -> Note:
        """Another row like this one, seats included."""
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            return store_note(ctx, world, replace(note, title=f"copy of {note.title}"))

    def give_photos(self, world: World) -> None:
        """A file in every row that has none."""
        model, files = self.site.runtime.registry.models[f"demo.note_{world.kind}"], self.site.runtime.files
        assert files is not None  # the site declares file fields
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            for row in ctx.execute(_select(ctx, world.kind)).all():
                if row.photo is None:
                    stored = uploaded(files, model.attributes["photo"])
                    ctx.records(model.name).update(row.id, values={"photo": stored})

    def is_there(self, world: World, note: Note) -> bool:
        with self.site.runtime.reading(SYSTEM, plugin="demo") as ctx:
            return bool(
                ctx.execute(_select(ctx, world.kind).where(_table(ctx, world.kind).c.id == note.id)).first()
            )

    def count(self, world: World) -> int:
        with self.site.runtime.reading(SYSTEM, plugin="demo") as ctx:
            return len(ctx.execute(_select(ctx, world.kind)).all())

    def remove(self, world: World, key: str) -> None:
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            table = _table(ctx, world.kind)
            ctx.execute(table.delete().where(table.c.id == key))

    def remove_titled(self, world: World, title: str) -> None:
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            table = _table(ctx, world.kind)
            ctx.execute(table.delete().where(table.c.title == title))

    def titles(self, world: World) -> list[str]:
        """The first words of all titles: what must be there after any run."""
        with self.site.runtime.reading(SYSTEM, plugin="demo") as ctx:
            rows = ctx.execute(_select(ctx, world.kind)).all()
        return sorted(str(row.title).partition(" ")[0] for row in rows)


def _table(ctx: Any, kind: str) -> Any:
    return ctx.table(f"demo.note_{kind}")


def _select(ctx: Any, kind: str) -> Any:
    return _table(ctx, kind).select()


def store_note(ctx: Any, world: World, note: Note) -> Note:
    """A row with its seats, as the oracle says it is."""
    row = ctx.records(f"demo.note_{world.kind}").create({
        "title": note.title, "state": note.state, "level": note.level, "cost": note.cost, "hush": note.hush,
        "mark": note.mark, "board": world.boards[note.board].id, "owner": world.people[note.owner or ""].id,
    })  # fmt: skip
    for person, rank in note.seats:
        values = {"note": row["id"], "person": world.people[person].id, "rank": rank}
        ctx.records(f"demo.seat_{world.kind}").create(values)
    return replace(note, id=str(row["id"]))


@dataclass(eq=False)
class Matrix:
    """A site with every account, board and row in it."""

    site: Site

    @cached_property
    def actors(self) -> dict[str, Actor]:
        made = {person.name: self.site.account(person.name, role=person.role) for person in PEOPLE}
        with self.site.runtime.writing(SYSTEM, plugin="host") as ctx:
            table = ctx.table("host.account")
            for person in PEOPLE:
                values = {"demo_level": person.level}
                ctx.execute(table.update().where(table.c.id == made[person.name].id).values(values))
        return made

    @cached_property
    def people(self) -> dict[str, Person]:
        return {person.name: replace(person, id=self.actors[person.name].id or "") for person in PEOPLE}

    @cached_property
    def boards(self) -> dict[str, Board]:
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            boards = ctx.records("demo.board")
            made = {it.name: replace(it, id=str(boards.create(self._board(it))["id"])) for it in BOARDS}
            for board in made.values():
                for person, role in board.people:
                    values = {"board": board.id, "person": self.people[person].id, "role": role}
                    ctx.records("demo.board_member").create(values)
            return made

    def _board(self, board: Board) -> dict[str, Any]:
        return {"name": board.name, "shared": board.shared, "owner": self.people[board.owner].id}

    @cached_property
    def worlds(self) -> dict[str, World]:
        return {kind: self._stored(kind) for kind in KINDS}

    def _stored(self, kind: str) -> World:
        world = World(kind, self.people, self.boards, ())
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            return replace(world, notes=tuple(store_note(ctx, world, note) for note in NOTES))

    def renew(self, kind: str) -> None:
        """Make the rows of one resource anew, after what a test has done to them."""
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            ctx.execute(ctx.table(f"demo.seat_{kind}").delete())
            ctx.execute(ctx.table(f"demo.note_{kind}").delete())
        self.worlds[kind] = self._stored(kind)

    @cached_property
    def store(self) -> Store:
        return Store(self.site)

    def run(
        self, operations: Sequence[Operation] | None = None, kinds: Iterable[str] = KINDS,
        probes: dict[str, Probe] = PROBES,
    ) -> list[str]:  # fmt: skip
        """Every failure of these resources. `operations` are the app's, and those that a test adds."""
        served = self.site.app.operations if operations is None else tuple(operations)
        app = replace(self.site.app, operations=served, router=Router(served))
        door = Door(app.pipeline(lambda request: None))
        callers = {name: Caller(door, self.site.token(actor)) for name, actor in self.actors.items()}
        failures: list[str] = []
        for kind in kinds:
            world = self.worlds[kind]
            mine = [it for it in served if it.wire is not None and it.wire.model.name == f"demo.note_{kind}"]
            failures += [
                f"no probe for the kind {it.kind} of {it.id}" for it in mine if it.kind not in probes
            ]
            for operation in [it for it in mine if it.kind in probes]:
                for person in (None, *self.people.values()):
                    caller = callers[person.name] if person else Caller(door)
                    case = Case(operation, world, person, caller, callers["admin"], self.store)
                    probes[operation.kind](case)
                    failures += case.failures
            if self.store.titles(world) != sorted(note.title for note in NOTES):
                failures.append(f"the rows of {kind} are not what they were")
        return failures
