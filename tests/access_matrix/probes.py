"""The probes of the matrix: for each kind of operation what is asked, and how the answer has to agree with the oracle.

A kind that is not here fails the matrix: whoever adds a surface adds its probe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from host.testing.contents import CONTENTS
from tests.access_matrix.calling import Reply
from tests.access_matrix.cases import Case
from tests.access_matrix.world import Note

Probe = Callable[[Case], None]
CONTENT: Final = CONTENTS["text/plain"][0]


def expected_titles(notes: Sequence[Note]) -> list[str]:
    return sorted(note.title for note in notes)


# --- lists ------------------------------------------------------------------------------------------------------------


def probe_list(case: Case) -> None:
    """The list, its total, search, filters, orders and expansions, on every collection of the wire."""
    for board, notes in case.groups():
        path = case.path(board=board)
        if not case.is_there(board):
            case.check_denied(case.caller.send("GET", path), visible=False)
            continue
        if case.me is None and not case.operation.is_public:
            case.expect(case.caller.send("GET", path).status == 401, "an anonymous caller got past the door")
            continue
        seen = case.world.seen(case.me, tuple(notes))
        _whole(case, path, seen)
        _searched(case, path, notes, seen)
        _filtered(case, path, seen)
        _guarded_queries(case, path)
        _expanded(case, path, seen)


def _whole(case: Case, path: str, seen: Sequence[Note]) -> None:
    reply = case.caller.send("GET", f"{path}?count=exact&page_size=100")
    rows = case.rows(reply)
    case.expect(
        case.titles(rows) == expected_titles(seen),
        f"lists {case.titles(rows)} instead of {expected_titles(seen)}",
    )
    case.expect(reply.status != 200 or case.total(reply) == len(seen), "the total counts what is not listed")
    by_title = {note.title: note for note in seen}
    for row in rows:
        note = by_title.get(str(row[case.outer("title")]).partition(" ")[0])
        if note is not None:
            case.check_row(row, note)


def _searched(case: Case, path: str, notes: Sequence[Note], seen: Sequence[Note]) -> None:
    visible = {note.title for note in seen}
    for note in notes:
        reply = case.caller.send("GET", f"{path}?q={note.title}&count=exact")
        rows = case.rows(reply)
        wanted = [note.title] if note.title in visible else []
        case.expect(case.titles(rows) == wanted, f"a search for {note.title} finds {case.titles(rows)}")
        case.expect(
            reply.status != 200 or case.total(reply) == len(wanted),
            "the total of a search counts hidden rows",
        )
    reply = case.caller.send("GET", f"{path}?q=psst")
    case.expect(case.rows(reply) == [], "a search looks into a field that is hidden")


def _filtered(case: Case, path: str, seen: Sequence[Note]) -> None:
    rows = case.rows(case.caller.send("GET", f"{path}?state=open&sort=-{case.outer('title')}"))
    wanted = expected_titles([note for note in seen if note.state == "open"])
    case.expect(case.titles(rows) == wanted, f"filtered, it lists {case.titles(rows)} instead of {wanted}")
    shown = [row[case.outer("title")] for row in rows]
    case.expect(shown == sorted(shown, reverse=True), "the order is not the one that was asked for")


def _guarded_queries(case: Case, path: str) -> None:
    """What not everybody reads cannot be filtered or sorted by: that would tell it."""
    for name in ("cost", "hush"):
        for query in (f"{case.outer(name)}=7", f"{case.outer(name)}[ne]=7", f"sort=-{case.outer(name)}"):
            status = case.caller.send("GET", f"{path}?{query}").status
            case.expect(status == 422, f"?{query} answered {status} instead of 422")


def _expanded(case: Case, path: str, seen: Sequence[Note]) -> None:
    rows = case.rows(case.caller.send("GET", f"{path}?expand=board,seats"))
    by_title = {note.title: note for note in seen}
    for row in rows:
        note = by_title.get(str(row[case.outer("title")]).partition(" ")[0])
        if note is None:  # told by `_whole`
            continue
        board, seats = row["expand"]["board"], row["expand"]["seats"]
        case.expect(
            (board is not None) == case.world.sees_board(case.me, note.board),
            f"{note.title} embeds its board wrongly",
        )
        is_admin = case.me is not None and case.me.role == "admin"
        wanted = [
            rank
            for person, rank in note.seats
            if is_admin or (case.me is not None and person == case.me.name)
        ]
        found = sorted(seat["rank"] for seat in seats)
        case.expect(
            found == sorted(wanted), f"{note.title} embeds the seats {found} instead of {sorted(wanted)}"
        )


def probe_export(case: Case) -> None:
    for board, notes in case.groups():
        path = case.path(board=board)
        reply = case.caller.send("GET", f"{path}?format=ndjson")
        if not case.is_there(board) or (case.me is None and not case.operation.is_public):
            case.check_denied(reply, visible=False)
            continue
        rows = [orjson.loads(line) for line in reply.body.splitlines()] if reply.status == 200 else []
        seen = case.world.seen(case.me, tuple(notes))
        case.expect(reply.status == 200, f"answered {reply.status}")
        case.expect(case.titles(rows) == expected_titles(seen), f"exports {case.titles(rows)}")
        is_admin = case.me is not None and case.me.role == "admin"
        for row in rows:
            case.expect((case.outer("cost") in row) == is_admin, "the export has another field than the list")
            note = next(
                (it for it in seen if it.title == str(row[case.outer("title")]).partition(" ")[0]), None
            )
            if note is not None:
                case.check_row(row, note)


# --- single rows ------------------------------------------------------------------------------------------------------


def probe_get(case: Case) -> None:
    for note in case.world.notes:
        for query in (
            "",
            f"?fields={case.outer('title')},{case.outer('hush')},{case.outer('cost')}",
            "?expand=seats",
        ):
            reply = case.caller.send("GET", case.path(note) + query)
            if not case.sees(note):
                case.check_denied(reply, visible=False)
            elif case.me is None and not case.operation.is_public:
                case.expect(reply.status == 401, "an anonymous caller got past the door")
            elif (
                query.startswith("?fields") and reply.status == 422
            ):  # a field that does not exist for the actor
                case.expect(case.me is None or case.me.role != "admin", "an admin may choose every field")
            else:
                case.expect(reply.status == 200, f"{note.title} answered {reply.status}")
                case.check_row(reply.json if reply.status == 200 else {}, note)


def probe_create(case: Case) -> None:
    for board in case.world.boards:
        new = Note("echo", None, board, "open", 1)
        body = case.body(title="echo", state="open", level=1)
        if not case.is_nested:
            body["board"] = case.world.boards[board].id
        reply = case.caller.send(case.operation.method, case.path(board=board), body)
        _check_created(case, reply, new, board)
    for name, value in (("cost", 5), ("inner", "x"), ("owner", case.world.people["admin"].id)):
        body = {**case.body(title="echo"), case.outer(name): value}
        body |= {} if case.is_nested else {"board": case.world.boards["wide"].id}
        reply = case.caller.send(case.operation.method, case.path(), body)
        is_free = name == "cost" and case.me is not None and case.me.role == "admin"
        case.expect(
            is_free or reply.status in (401, 403, 404, 422), f"took {name} and answered {reply.status}"
        )
        _remove(case, reply)


def _check_created(case: Case, reply: Reply, new: Note, board: str) -> None:
    is_allowed = case.is_there(board) and case.world.may_create(case.me, new)
    sees = case.world.sees_board(case.me, board)  # a row cannot refer to what its writer may not see
    if is_allowed and sees and case.me is not None:
        case.expect(
            reply.status == case.operation.status, f"creating answered {reply.status}: {reply.body[:150]!r}"
        )
    elif case.me is None:
        case.expect(reply.status in (401, 404, 403, 422), f"nobody created a row: {reply.status}")
    elif case.is_nested and not sees:
        case.check_denied(reply, visible=False)
    else:
        wanted = {403} if sees else {403, 422}
        case.expect(reply.status in wanted, f"creating answered {reply.status} instead of {sorted(wanted)}")
    _remove(case, reply)


def _remove(case: Case, reply: Reply) -> None:
    if reply.status in (200, 201) and isinstance(reply.json, dict) and "id" in reply.json:
        case.make.remove(case.world, reply.json["id"])


def probe_update(case: Case) -> None:
    for note in case.world.notes:
        _written(
            case, note, "update", case.body(title=f"{note.title} again", state=note.state, level=note.level)
        )
    note = next(
        (it for it in case.world.notes if case.sees(it) and case.world.may("update", case.me, it)), None
    )
    if note is None or (case.me is None and not case.operation.is_public):
        return
    is_admin, is_owner = (
        case.me is not None and case.me.role == "admin",
        case.me is not None and case.me.name == note.owner,
    )
    whole = case.body(title=note.title, state=note.state, level=note.level)
    whole |= (
        {"board": case.world.boards[note.board].id}
        if case.operation.method == "PUT" and not case.is_nested
        else {}
    )
    whole |= case.body(cost=note.cost) if is_admin else {}
    for name, is_free in (("cost", is_admin), ("mark", is_owner)):
        values = {"cost": note.cost, "mark": note.mark}
        reply = case.caller.send(
            case.operation.method, case.path(note), {**whole, case.outer(name): values[name]}
        )
        wanted = {200} if is_free else {401} if case.me is None else {403}
        case.expect(
            reply.status in wanted, f"setting {name} answered {reply.status} instead of {sorted(wanted)}"
        )
        if reply.status == 403:
            pointers = [error["pointer"] for error in reply.json.get("errors", [])]
            case.expect(pointers == [f"/{case.outer(name)}"], f"the refusal of {name} points at {pointers}")
    for name, value in (("inner", "x"), ("owner", case.world.people["admin"].id)):
        reply = case.caller.send(case.operation.method, case.path(note), {**whole, case.outer(name): value})
        case.expect(reply.status in (401, 422), f"took {name} and answered {reply.status}")


def _written(case: Case, note: Note, operation: str, body: Any) -> None:
    """A write of a row that changes nothing a rule looks at."""
    if case.me is not None and case.me.role == "admin":
        body = {**body, **case.body(cost=note.cost)}  # PUT clears what its caller may set and leaves out
    if case.operation.method == "PUT" and not case.is_nested:
        body = {**body, "board": case.world.boards[note.board].id}
    reply = case.caller.send(case.operation.method, case.path(note), body)
    if case.sees(note) and case.world.may(operation, case.me, note) and (case.me or case.operation.is_public):
        case.expect(200 <= reply.status < 300, f"{note.title} answered {reply.status}: {reply.body[:150]!r}")
    else:
        case.check_denied(reply, visible=case.sees(note))


def probe_delete(case: Case) -> None:
    for note in case.world.notes:
        is_allowed = (
            case.sees(note)
            and case.world.may("delete", case.me, note)
            and (case.me or case.operation.is_public)
        )
        target = case.make.copy(case.world, note) if is_allowed else note
        reply = case.caller.send(case.operation.method, case.path(target))
        is_there = case.make.is_there(case.world, target)
        if is_allowed:
            case.expect(
                reply.status == case.operation.status and not is_there,
                f"{note.title} answered {reply.status}",
            )
        else:
            case.check_denied(reply, visible=case.sees(note))
            case.expect(is_there, f"{note.title} is gone, although it was refused")


# --- many rows --------------------------------------------------------------------------------------------------------


def probe_bulk(operation: str) -> Probe:
    def probe(case: Case) -> None:
        for board, notes in case.groups():
            for note in notes:
                _bulk(case, operation, board, [note])
            _bulk(case, operation, board, list(notes))

    return probe


def _bulk(case: Case, operation: str, board: str, notes: Sequence[Note]) -> None:
    """All of them or none."""
    denied = [note for note in notes if not (case.sees(note) and case.world.may(operation, case.me, note))]
    is_allowed = not denied and case.is_there(board) and (case.me is not None or case.operation.is_public)
    is_deleting = operation == "delete"
    targets = [case.make.copy(case.world, note) for note in notes] if is_allowed and is_deleting else notes
    items = [
        case.body(id=note.id) if is_deleting else case.body(id=note.id, title=f"{note.title} once more")
        for note in targets
    ]
    reply = case.caller.send(case.operation.method, case.path(board=board), items)
    gone = [note for note in targets if not case.make.is_there(case.world, note)] if is_deleting else []
    if is_allowed:
        case.expect(reply.status == 200, f"answered {reply.status}: {reply.body[:150]!r}")
        case.expect(not is_deleting or len(gone) == len(notes), "not every row is gone")
    else:
        first = denied[0] if denied else notes[0]
        case.check_denied(reply, visible=case.is_there(board) and case.sees(first))
        case.expect(not gone, f"{len(gone)} rows are gone, although it was refused")


def probe_bulk_create(case: Case) -> None:
    _many_created(case, lambda path, items: case.caller.send("POST", path, items))


def probe_import(case: Case) -> None:
    def send(path: str, items: Any) -> Reply:
        lines = b"\n".join(map(orjson.dumps, items))
        return case.caller.send("POST", path, lines, "application/x-ndjson")

    _many_created(case, send)


def _many_created(case: Case, send: Callable[[str, Any], Reply]) -> None:
    for board in case.world.boards:
        before = case.make.count(case.world)
        body = case.body(title="echo", state="open", level=1)
        body |= {} if case.is_nested else {"board": case.world.boards[board].id}
        reply = send(case.path(board=board), [body])
        sees = case.world.sees_board(case.me, board)
        is_allowed = sees and case.world.may_create(case.me, Note("echo", None, board, "open", 1))
        made = case.make.count(case.world) - before
        if is_allowed and case.me is not None:
            case.expect(reply.status < 300 and made == 1, f"answered {reply.status}: {reply.body[:150]!r}")
        else:
            case.expect(reply.status in (401, 403, 404, 422), f"answered {reply.status} instead of a refusal")
            case.expect(made == 0, "rows were made, although it was refused")
        case.make.remove_titled(case.world, "echo")


# --- the plugin's own ---------------------------------------------------------------------------------------------------


def probe_action(case: Case) -> None:
    if case.operation.details["target"] == "collection":
        _tally(case)
        return
    if case.operation.status == 202:
        _ponder(case)
        return
    for note in case.world.notes:
        reply = case.caller.send(
            case.operation.method, case.path(note), {} if case.operation.method == "POST" else None
        )
        if (
            case.sees(note)
            and case.world.may("touch", case.me, note)
            and (case.me or case.operation.is_public)
        ):
            case.expect(reply.status == 200, f"{note.title} answered {reply.status}")
            case.check_row(reply.json if reply.status == 200 else {}, note)
        else:
            case.check_denied(reply, visible=case.sees(note))


def _ponder(case: Case) -> None:
    """What a job does: the rule is asked when it is wanted and when it runs, and its result has what the actor may see."""
    for note in case.world.notes:
        reply = case.caller.send("POST", case.path(note), {})
        is_allowed = case.me and case.sees(note) and case.world.may("touch", case.me, note)
        if is_allowed:
            case.expect(reply.status == 202, f"{note.title} answered {reply.status}")
            case.expect(case.make.run_jobs() == ["done"], f"the job of {note.title} was not done")
            job = case.caller.send("GET", reply.headers.get("Location", "/"))
            case.check_row((job.json or {}).get("result") or {}, note)
        else:
            is_left = bool(case.make.run_jobs())
            anonymous_may = case.me is None and case.operation.is_public and reply.status == 202
            case.expect(is_left == anonymous_may, f"a refusal of {note.title} left a job, or none was left")
            if not anonymous_may:
                case.check_denied(reply, visible=case.sees(note))


def _tally(case: Case) -> None:
    for board in case.world.boards if case.is_nested else ("wide",):
        reply = case.caller.send("GET", case.path(board=board))
        is_admin = case.me is not None and case.me.role == "admin"
        if is_admin and case.is_there(board):
            case.expect(reply.status == 200, f"answered {reply.status}")
        else:
            case.check_denied(reply, visible=case.is_there(board))


# --- files and history ------------------------------------------------------------------------------------------------


def probe_download(case: Case) -> None:
    """A file, and a link to it, is visible exactly as its row is."""
    case.make.give_photos(case.world)
    for note in case.world.notes:
        reply = case.caller.send("GET", case.path(note))
        if case.sees(note):
            is_link = case.operation.kind == "link"
            case.expect(reply.status == 200, f"the file of {note.title} answered {reply.status}")
            case.expect(is_link or reply.body == CONTENT, "the file is not what was stored")
        else:
            case.check_denied(reply, visible=False)
            case.expect(CONTENT not in reply.body, "the refusal tells the file")


def probe_upload(case: Case) -> None:
    for note in case.world.notes:
        reply = case.caller.send(case.operation.method, case.path(note), CONTENT, "text/plain")
        _check_file_written(case, note, reply)


def probe_clear(case: Case) -> None:
    case.make.give_photos(case.world)
    for note in case.world.notes:
        _check_file_written(case, note, case.caller.send(case.operation.method, case.path(note)))


def _check_file_written(case: Case, note: Note, reply: Reply) -> None:
    if case.sees(note) and case.world.may("update", case.me, note) and (case.me or case.operation.is_public):
        case.expect(
            reply.status == case.operation.status, f"the file of {note.title} answered {reply.status}"
        )
    else:
        case.check_denied(reply, visible=case.sees(note))


def probe_history(case: Case) -> None:
    """What was done to a row is told to whoever sees it, and of no field that is hidden from them."""
    for note in case.world.notes:
        reply = case.caller.send("GET", case.path(note))
        if not case.sees(note) or (case.me is None and not case.operation.is_public):
            case.check_denied(reply, visible=False)
            continue
        case.expect(reply.status == 200, f"the history of {note.title} answered {reply.status}")
        shown = case.world.shown(case.me, note)
        told = {it["field"] for entry in reply.json.get("items", []) for it in entry["changes"]}
        for name in ("cost", "hush"):
            case.expect(
                name in shown or case.outer(name) not in told, f"the history of {note.title} tells {name}"
            )


PROBES: Final[dict[str, Probe]] = {
    "list": probe_list,
    "export": probe_export,
    "get": probe_get,
    "create": probe_create,
    "update": probe_update,
    "delete": probe_delete,
    "bulk_create": probe_bulk_create,
    "bulk_update": probe_bulk("update"),
    "bulk_delete": probe_bulk("delete"),
    "import": probe_import,
    "action": probe_action,
    "download": probe_download,
    "link": probe_download,
    "upload": probe_upload,
    "clear": probe_clear,
    "history": probe_history,
}
