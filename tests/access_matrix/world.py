"""The accounts and rows of the matrix, and what every rule has to say about them, decided in Python alone.

Nothing here asks the host: a rule stands beside the YAML text as a function over an actor and a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final


@dataclass(frozen=True)
class Person:
    """An account as the oracle knows it; `id` is filled in once it exists."""

    name: str
    role: str = "user"
    level: int = 1
    id: str = ""


@dataclass(frozen=True)
class Board:
    """A parent row."""

    name: str
    owner: str
    shared: bool
    people: tuple[tuple[str, str], ...] = ()
    id: str = ""


@dataclass(frozen=True)
class Note:
    """A row of any of the resources; people and the board by their names."""

    title: str
    owner: str | None
    board: str
    state: str
    level: int
    seats: tuple[tuple[str, str], ...] = ()
    cost: int = 7
    hush: str = "psst"
    mark: int = 3
    id: str = ""


Actor = Person | None
Predicate = Callable[[Actor, Note], bool]

PEOPLE: Final = (
    Person("stranger"),
    Person("member", level=5),
    Person("viewer"),
    Person("owner"),
    Person("admin", role="admin", level=9),
)
BOARDS: Final = (
    Board("wide", "owner", True, (("member", "hand"), ("viewer", "guest"))),
    Board("narrow", "stranger", False, (("member", "guest"),)),
)
NOTES: Final = (
    Note("alpha", "owner", "wide", "open", 1, (("member", "plain"), ("viewer", "viewer"))),
    Note("bravo", "owner", "wide", "shut", 5, (("member", "plain"),)),
    Note("charlie", "stranger", "narrow", "shut", 1),
    Note("delta", "member", "narrow", "open", 9, (("viewer", "viewer"), ("owner", "chief"))),
)


def is_named(me: Actor, name: str | None) -> bool:
    return me is not None and me.name == name


def _owner(me: Actor, note: Note) -> bool:
    return is_named(me, note.owner)


def _plain(me: Actor, note: Note) -> bool:
    return any(is_named(me, person) and rank == "plain" for person, rank in note.seats)


def _admin(me: Actor, note: Note) -> bool:
    return me is not None and me.role == "admin"


def _signed_in(me: Actor, note: Note) -> bool:
    return me is not None


def board_of(note: Note) -> Board:
    return next(board for board in BOARDS if board.name == note.board)


@dataclass(frozen=True)
class Rules:
    """The rules of one resource: as YAML, and as functions. Reading is list and get; `touch` is the item actions'."""

    yaml: str
    read: Predicate
    create: Predicate
    update: Predicate
    delete: Predicate
    touch: Predicate
    touch_yaml: str


def every(text: str, decide: Predicate) -> Rules:
    """One rule for everything."""
    return Rules(f'"{text}"', decide, decide, decide, decide, decide, f'"{text}"')


KINDS: Final[dict[str, Rules]] = {
    "open": every("public", lambda me, note: True),
    "known": every("authenticated", _signed_in),
    "own": every("owner", _owner),
    "role": every("role('admin')", _admin),
    "member": every("member(seats)", lambda me, note: any(is_named(me, person) for person, _ in note.seats)),
    "ranked": every("any(seats, person == me and rank == 'plain')", _plain),
    "crew": every("member('board')", lambda me, note: any(is_named(me, person) for person, _ in board_of(note).people)),
    "hands": every(
        "member('board', 'hand')",
        lambda me, note: any(is_named(me, person) and role == "hand" for person, role in board_of(note).people),
    ),
    "dotted": every("board.owner == me", lambda me, note: is_named(me, board_of(note).owner)),
    "some": every("any(seats, rank == 'chief')", lambda me, note: any(rank == "chief" for _, rank in note.seats)),
    "whole": every(
        "all(seats, person != me)",
        lambda me, note: all(me is not None and me.name != person for person, _ in note.seats),
    ),
    "state": every("state == 'open'", lambda me, note: note.state == "open"),
    "policy": every("keeper", lambda me, note: _owner(me, note) or _plain(me, note)),
    "mine": every("level <= me.level", lambda me, note: me is not None and note.level <= me.level),
    "mixed": every(
        "owner and state == 'open' or role('admin')",
        lambda me, note: (_owner(me, note) and note.state == "open") or _admin(me, note),
    ),
    "inverse": every(
        "authenticated and not (state == 'open')", lambda me, note: me is not None and note.state != "open"
    ),
    "split": Rules(
        "{read: authenticated, create: authenticated, update: owner, delete: \"role('admin')\"}",
        _signed_in, _signed_in, _owner, _admin,
        lambda me, note: _owner(me, note) or note.state == "open",
        "\"owner or state == 'open'\"",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """The stored rows of one resource, with their keys, and everybody."""

    kind: str
    people: dict[str, Person]
    boards: dict[str, Board]
    notes: tuple[Note, ...]
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", KINDS[self.kind])

    def sees(self, me: Actor, note: Note) -> bool:
        return self.rules.read(me, note)

    def seen(self, me: Actor, notes: tuple[Note, ...] | None = None) -> list[Note]:
        return [note for note in (self.notes if notes is None else notes) if self.sees(me, note)]

    def sees_board(self, me: Actor, name: str) -> bool:
        board = self.boards[name]
        return board.shared or is_named(me, board.owner)

    def may(self, operation: str, me: Actor, note: Note) -> bool:
        """Whether an operation on a row succeeds: its own rule, on a row that is visible at all."""
        decide: Predicate = getattr(self.rules, operation)
        return self.sees(me, note) and decide(me, note)

    def may_create(self, me: Actor, note: Note) -> bool:
        """Whether such a row may be made: it belongs to whoever makes it and has no seats yet."""
        return self.rules.create(me, replace(note, owner=me.name if me else None, seats=()))

    def shown(self, me: Actor, note: Note) -> dict[str, Any]:
        """The guarded fields as this actor has to see them; a name that is not here has to be absent."""
        shown: dict[str, Any] = {"hush": note.hush} if _owner(me, note) else {}
        return {**shown, "cost": note.cost} if _admin(me, note) else shown
