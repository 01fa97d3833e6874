"""One cell of the matrix: an operation of a resource on one wire, asked by one actor, with the world that says what to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from host.compiler.wires import CompiledWire
from host.web.operations import Operation
from tests.access_matrix.calling import Caller, Reply
from tests.access_matrix.world import Actor, Note, World


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that a probe needs. `make` stores a copy of a row that may be destroyed, `stored` reads all titles."""

    operation: Operation
    world: World
    me: Actor
    caller: Caller
    admin: Caller
    make: Any
    failures: list[str] = field(default_factory=list)

    @property
    def wire(self) -> CompiledWire:
        assert self.operation.wire is not None  # the matrix asks for operations of resources
        return self.operation.wire

    @cached_property
    def is_nested(self) -> bool:
        return "{board}" in self.wire.path

    @property
    def label(self) -> str:
        who = self.me.name if self.me else "anonymous"
        return f"{self.operation.method} {self.operation.path} as {who}"

    def expect(self, holds: bool, said: str) -> None:
        """Note a failure; the matrix goes on, so that one run tells them all."""
        if not holds:
            self.failures.append(f"{self.label}: {said}")

    def path(self, note: Note | None = None, board: str = "wide") -> str:
        """The operation's path with its parameters filled in."""
        path = self.operation.path
        if note is not None:
            path, board = path.replace("{id}", note.id), note.board
        return path.replace("{board}", self.world.boards[board].id)

    def outer(self, name: str) -> str:
        """The wire's name of a field."""
        return self.wire.outer.get(name, name)

    def body(self, **values: Any) -> dict[str, Any]:
        """Values under the wire's names; what the wire does not take is left out."""
        return {self.wire.outer[name]: value for name, value in values.items() if name in self.wire.outer}

    # -- what is expected --

    def groups(self) -> list[tuple[str, Sequence[Note]]]:
        """The collections of the wire, as boards with their rows: all rows in one where it is not nested."""
        if not self.is_nested:
            return [("wide", self.world.notes)]
        return [
            (name, [note for note in self.world.notes if note.board == name]) for name in self.world.boards
        ]

    def is_there(self, board: str) -> bool:
        """Whether a collection exists for the actor."""
        return not self.is_nested or self.world.sees_board(self.me, board)

    def sees(self, note: Note) -> bool:
        return self.is_there(note.board) and self.world.sees(self.me, note)

    def check_denied(self, reply: Reply, *, visible: bool) -> None:
        """A refusal: 401 to nobody in particular, else 404 for what is hidden (or what the wire says), else 403."""
        hidden = self.wire.declared.errors.status.get("hidden", 404)
        is_item = "{id}" in self.operation.path
        wanted = {403} if visible else {hidden} if is_item else {404, hidden}
        if self.me is None:
            wanted = {401, hidden, 404}
        self.expect(reply.status in wanted, f"answered {reply.status} instead of {sorted(wanted)}")
        self.check_tells_nothing(reply)

    def check_tells_nothing(self, reply: Reply) -> None:
        """No value of any row is in a refusal."""
        for note in self.world.notes:
            if note.title.encode() in reply.body or note.hush.encode() in reply.body:
                self.expect(False, f"the refusal tells of the row {note.title}")

    def check_row(self, row: dict[str, Any], note: Note) -> None:
        """A shown row has the guarded fields exactly as the actor may see them."""
        shown = self.world.shown(self.me, note)
        for name in ("cost", "hush"):
            found = row.get(self.outer(name), "absent")
            wanted = shown.get(name, "absent")
            self.expect(found == wanted, f"{note.title} shows {name} as {found!r} instead of {wanted!r}")

    # -- what came back --

    def rows(self, reply: Reply) -> list[dict[str, Any]]:
        """The rows of an answered list."""
        shape = self.wire.declared.list
        if reply.status != 200:
            self.expect(False, f"answered {reply.status}: {reply.body[:200]!r}")
            return []
        return list(reply.json if shape.form == "array" else reply.json[shape.key or "items"])

    def total(self, reply: Reply) -> int | None:
        """The number of rows that the answer tells."""
        if self.wire.declared.list.form == "array":
            return int(reply.headers.get("X-Total-Count", "-1"))
        return int(reply.json.get("total", -1))

    def titles(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        return sorted(str(row[self.outer("title")]).partition(" ")[0] for row in rows)
