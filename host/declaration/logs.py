"""Logs, the resources that are made of them, and sync: what they name exists and fits together.

A log gets here what every log needs (its digest, its indexes, one event of an id for each owner), so that nobody has to
write it. The linker calls `link_log` for every resource before it calls `link_logged`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from host.declaration.nodes import (
    Field,
    FieldRef,
    Index,
    Log,
    Logged,
    Name,
    Relation,
    Resource,
    ResourceRef,
    SortRef,
    Sync,
    TypeRef,
    Unique,
)
from host.declaration.problems import Place, did_you_mean
from host.declaration.workspace import ACCOUNT, Workspace, owner_of, short

CHANGES: Final = "host.change"  # the log of resources that have none of their own
READING: Final = ("list", "get", "export")  # all that can be done with events but adding them
ROLES: Final = {
    "id": ("uuid",), "type": ("string", "enum"), "key": ("uuid",), "event": ("string", "enum"), "data": ("json",),
    "at": ("datetime",), "received": ("datetime",), "version": ("integer",),
}  # fmt: skip
KINDS: Final = {"push": ("POST",), "pull": ("POST", "GET"), "hash": ("GET",), "events": ("GET",)}


def link_log(ws: Workspace, name: str) -> None:
    """Complete a resource that is a log, and say which log an ordinary one with `sync` has."""
    resource = ws.resources[name]
    if resource.sync is not None and not resource.sync.offered:
        resource = replace(resource, sync=None)
    if resource.log is not None:
        resource = _completed(ws, resource, resource.log, short(name))
    elif resource.sync is not None and resource.logged is None:
        logged = Logged(log=ResourceRef(CHANGES), name=name, place=resource.sync.place)
        resource = replace(resource, logged=logged)
    if resource.sync is not None:
        _check_sync(ws, resource, resource.sync, short(name))
    ws.resources[name] = resource


def sync_routes(resource: Resource, base: str) -> Iterator[tuple[str, str, str]]:
    """Kind, method and path of each operation of `sync`, below the first wire's collection."""
    for kind, methods in KINDS.items():
        for path in getattr(resource.sync, kind) if resource.sync is not None else ():
            whole = path if path.startswith("/") else f"{base.rstrip('/')}/{path}"
            yield from ((kind, method, whole) for method in methods)


def _completed(ws: Workspace, resource: Resource, log: Log, bare: str) -> Resource:
    _check_shape(ws, resource, log, bare)
    owner = resource.mixins.owned.name if resource.mixins.owned else Name("owner")
    fields = dict(resource.fields)
    for role, types in ROLES.items():
        name = getattr(log, role)
        if name is not None and _is_role(ws, resource, role, types, bare):
            is_sure = role != "version"
            fields[name] = replace(fields[name], required=is_sure, nullable=not is_sure, set="server")
    digest = Field(
        type=TypeRef("string"), max=64, set="server", secret=True, nullable=True, column=log.digest, place=log.place,
        doc="what tells the event as its device sent it from another one",
    )  # fmt: skip
    fields[log.digest] = digest
    written = "operations" in resource.place.keys
    kept = tuple(it for it in resource.operations if it in READING)
    return replace(
        resource,
        fields=fields,
        operations=resource.operations if written else kept,
        audit=replace(resource.audit, writes=False),
        unique=(*resource.unique, Unique(fields=(log.id, FieldRef(owner)), place=log.place)),
        indexes=(
            *resource.indexes,
            Index(fields=tuple(map(SortRef, (owner, log.type, log.key, log.at))), place=log.place),
            Index(fields=tuple(map(SortRef, (owner, log.received))), place=log.place),
        ),
    )


def _is_role(ws: Workspace, resource: Resource, role: str, types: tuple[str, ...], bare: str) -> bool:
    log = resource.log
    assert log is not None
    name, place, path = getattr(log, role), log.place.of(role), f"{bare}.log.{role}"
    field = resource.fields.get(name)
    if field is None:
        message = f'there is no field "{name}"{did_you_mean(name, resource.fields)}'
        ws.problems.add("unknown_field", place, path, message)
    elif field.type not in types:
        ws.problems.add("log", place, path, f'"{name}" has to be a {" or ".join(types)}')
    return field is not None


def _check_shape(ws: Workspace, resource: Resource, log: Log, bare: str) -> None:
    path, mixins = f"{bare}.log", resource.mixins
    if mixins.owned is None or mixins.owned.to not in ("account", ACCOUNT):
        message = "events are numbered for each owner: the mixin `owned`, by an account, is missing"
        ws.problems.add("no_mixin", log.place, path, message)
    if resource.key != "int":
        message = "events are told by numbers that grow: `key: int`"
        ws.problems.add("log", resource.place.of("key"), f"{bare}.key", message)
    for mixin in ("soft_delete", "versioned"):
        if getattr(mixins, mixin) is not None:
            ws.problems.add(
                "log", getattr(mixins, mixin).place, f"{bare}.mixins.{mixin}", "events are never changed"
            )
    _check_unchanged(ws, resource, bare)
    if resource.logged is not None:
        ws.problems.add("log", resource.logged.place, f"{bare}.logged", "a log is not logged itself")
    _check_numbers(ws, log, path)
    if log.conflict != "last_writer" and log.version is None:
        message = f"`{log.conflict}` goes by versions: name the field that holds them, `version`"
        ws.problems.add("log", log.place.of("conflict"), f"{path}.conflict", message)
    if log.digest in resource.fields:
        message = (
            f'the log makes a field "{log.digest}" of its own: name the other one otherwise, or `digest`'
        )
        ws.problems.add("duplicate_name", resource.fields[log.digest].place, f"{bare}.fields", message)


def _check_unchanged(ws: Workspace, resource: Resource, bare: str) -> None:
    for at, operation in enumerate(resource.operations if "operations" in resource.place.keys else ()):
        if operation not in READING:
            message = (
                f'events are never changed, and only added by what they tell of: leave "{operation}" out'
            )
            place = resource.place.of("operations", at)
            ws.problems.add("log", place, f"{bare}.operations", message)
    for name, relation in resource.relations.items():
        if not relation.many and relation.on_delete == "set_null":
            message = "events are never changed: `restrict` or `cascade`"
            ws.problems.add(
                "log", relation.place.of("on_delete"), f"{bare}.relations.{name}.on_delete", message
            )


def _check_numbers(ws: Workspace, log: Log, path: str) -> None:
    least = [(log, "ahead", 0, path)]
    least += [(log.undo, "within", 1, f"{path}.undo")] if log.undo else []  # type: ignore[list-item]
    if log.snapshots:
        least += [(log.snapshots, key, 1, f"{path}.snapshots") for key in ("every", "keep")]  # type: ignore[misc]
    for node, key, number, where in least:
        if getattr(node, key) < number:
            ws.problems.add("range", node.place.of(key), f"{where}.{key}", f"at least {number}")
    words = [log.words.created, log.words.updated, log.words.deleted, *([log.words.undo] if log.undo else [])]
    if len(set(words)) != len(words):
        ws.problems.add("log", log.words.place, f"{path}.words", "the words have to differ")


def link_logged(ws: Workspace, name: str) -> None:
    """Check a resource that is made of a log, and qualify the log's name."""
    resource, bare = ws.resources[name], short(name)
    if resource.logged is None or resource.log is not None:
        return
    is_own = resource.logged.log == CHANGES and resource.sync is not None
    place, path = resource.logged.place, f"{bare}.sync" if is_own else f"{bare}.logged"
    found = CHANGES if is_own else ws.find_resource(resource.logged.log, owner_of(name), place.of("in"), path)
    log = ws.resources[found].log if found in ws.resources else None
    if found is None or log is None:
        if found is not None:
            ws.problems.add("log", place.of("in"), path, f'"{resource.logged.log}" is no log')
        return
    logged = replace(resource.logged, log=ResourceRef(found), name=resource.logged.name or bare)
    ws.resources[name] = replace(resource, logged=logged)
    _check_rows(ws, resource, log, bare)
    _check_absent(ws, resource, logged, path)
    _check_same_owner(ws, resource, ws.resources[found], place, path)
    for other, it in ws.resources.items():
        if other != name and it.logged and (it.logged.log, it.logged.name) == (found, logged.name):
            message = f'the log names {short(other)} "{logged.name}" already: say another `as`'
            ws.problems.add("duplicate_name", place, path, message)


def _check_absent(ws: Workspace, resource: Resource, logged: Logged, path: str) -> None:
    """What events may leave out are stored fields; only times can be those of the event."""
    stored = {name: it for name, it in resource.fields.items() if it.column is not None}
    for name, value in logged.absent.items():
        place, where = logged.place.of("absent", name), f"{path}.absent.{name}"
        field = stored.get(name)
        if field is None:
            message = f'there is no stored field "{name}"{did_you_mean(name, stored)}'
            ws.problems.add("unknown_field", place, where, message)
        elif field.type in ("date", "datetime") and value != "at":
            ws.problems.add("log", place, where, "of a time that events leave out only `at` is known")


def _check_same_owner(ws: Workspace, resource: Resource, log: Resource, place: Place, path: str) -> None:
    mine, theirs = resource.mixins.owned, log.mixins.owned
    if mine is None:
        message = "the rows have the owner of their events: the mixin `owned` is missing"
        ws.problems.add("no_mixin", place, path, message)
    elif theirs is not None and (mine.to, mine.by) != (theirs.to, theirs.by):
        ws.problems.add("log", mine.place, path, f"its owner has to be the log's: `by: {theirs.by}`")


def _check_rows(ws: Workspace, resource: Resource, log: Log, bare: str) -> None:
    """Everything that is stored has to be in the events."""
    if resource.key not in ("uuid7", "uuid4"):
        message = "devices make keys by themselves: `key: uuid7` or `uuid4`"
        ws.problems.add("log", resource.place.of("key"), f"{bare}.key", message)
    if resource.stored != "host" or resource.identity is not None:
        message = "another system writes this table, too: it cannot be made of events"
        ws.problems.add("log", resource.place, bare, message)
    taken = {log.previous, log.undo.of if log.undo else None, "caused_by"}
    for name, field in resource.fields.items():
        if why := _taken(name, taken) or _unfit(ws, field, is_made=_is_hidden(resource, name)):
            ws.problems.add("log", field.place, f"{bare}.fields.{name}", why)
    for name, it in resource.relations.items():
        if why := _taken(name, taken) or _linked(it):
            ws.problems.add("log", it.place, f"{bare}.relations.{name}", why)


def _is_hidden(resource: Resource, name: str) -> bool:
    mixin = resource.mixins.soft_delete
    return mixin is not None and mixin.name == name


def _taken(name: str, taken: set[str | None]) -> str | None:
    return "the data of events has this name for something else: rename it" if name in taken else None


def _unfit(ws: Workspace, it: Field, *, is_made: bool) -> str | None:
    if it.secret and not is_made:
        return "events hold no secrets: such a field cannot be made of them"
    if it.read:
        return "events are told whole: such a field, which not everybody may see, cannot be made of them"
    words = ws.vocabulary.types.get(it.type)
    return "events hold no files: keep it in a resource of its own" if words and words.file else None


def _linked(it: Relation) -> str | None:
    if it.read and not it.many:
        return "events are told whole: such a relation, which not everybody may see, cannot be made of them"
    is_linked = it.many and it.by is None
    return "linked keys are in no event: make the link a resource of its own" if is_linked else None


def _check_sync(ws: Workspace, resource: Resource, sync: Sync, bare: str) -> None:
    path = f"{bare}.sync"
    if not 1 <= sync.most <= 100_000:
        ws.problems.add("range", sync.place.of("most"), f"{path}.most", "1 to 100000")
    access = resource.access
    if resource.log is not None and not (access and (access.create or access.write or access.every)):
        message = "nobody may push: give `access` a rule for `create`"
        ws.problems.add("no_access", sync.place, path, message)
    if not (access and (access.list or access.read or access.every)):
        message = "nobody may pull: give `access` a rule for `list`"
        ws.problems.add("no_access", sync.place, path, message)
