"""Resources that stand for the account: the user table of another system, in which the host keeps each account's row.

The linker calls it. What the host writes there is `set: server`, the password is a secret, whoever says so or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

from host.declaration.nodes import Field, IdentityTable, Name, Resource
from host.declaration.problems import did_you_mean
from host.declaration.workspace import ACCOUNT, Workspace, short

Form = Literal["id", "number", "hex"]
HELD: Final = (
    "username", "email", "password", "active", "first_name", "last_name", "last_login", "joined", "avatar",
)  # fmt: skip
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "username": ("string",), "email": ("email", "string"), "password": ("string", "text"), "active": ("boolean",),
    "first_name": ("string",), "last_name": ("string",), "last_login": ("datetime",), "joined": ("datetime",),
    "avatar": ("image", "file"),
}  # fmt: skip
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("int",), "id": ("uuid7", "uuid4"), "hex": ("hex24",),
}  # fmt: skip
_MADE_ELSEWHERE: Final = ("create", "delete", "bulk", "import")


def account_form(resources: Mapping[str, Resource], to: str, by: str | None) -> Form | None:
    """The form of an account's key that a relation to one row stores; None where that row stands for no account."""
    if to == ACCOUNT:
        return by if by in ("number", "hex") else "id"  # type: ignore[return-value]  # one of the two
    target = resources.get(to)
    return target.identity.key if target is not None and target.identity is not None else None


def named_fields(identity: IdentityTable) -> Iterator[tuple[str, str]]:
    """What is held of an account, and in which field."""
    for word in HELD:
        if name := getattr(identity, word):
            yield word, name


def link_account_table(workspace: Workspace, name: str) -> None:
    """Give the fields that the host writes their meaning."""
    resource = workspace.resources[name]
    if resource.identity is None:
        return
    fields = dict(resource.fields)
    for word, field_name in named_fields(resource.identity):
        field = fields.get(Name(field_name))
        if field is not None:
            is_secret = field.secret or word == "password"
            fields[Name(field_name)] = replace(field, set="server", secret=is_secret)
    workspace.resources[name] = replace(resource, fields=fields)


def check_account_tables(workspace: Workspace) -> None:
    """Check each of them, and that a site has at most one."""
    found = [(name, it.identity) for name, it in workspace.resources.items() if it.identity is not None]
    for name, identity in found:
        _check(workspace, name, workspace.resources[name], identity)
    for name, identity in found[1:]:
        message = (
            f"the accounts of this site have their rows in {found[0][0]} already: one table can hold them"
        )
        workspace.problems.add("identity", identity.place, f"{short(name)}.identity", message)


def _check(ws: Workspace, name: str, resource: Resource, identity: IdentityTable) -> None:
    path = f"{short(name)}.identity"
    if resource.key not in _KEYS[identity.key]:
        wanted = " or ".join(_KEYS[identity.key])
        message = f"the account's {identity.key} is the row's key: the resource needs `key: {wanted}`"
        ws.problems.add("identity", identity.place.of("key"), path, message)
    if open_to := ", ".join(it for it in resource.operations if it in _MADE_ELSEWHERE):
        message = f"rows come and go with accounts: leave {open_to} out of `operations`"
        ws.problems.add("identity", identity.place, path, message)
    if not identity.hashes:
        ws.problems.add("identity", identity.place.of("hashes"), path, "name at least one format of hashes")
    for word, field_name in named_fields(identity):
        _check_field(ws, resource, identity, word, field_name, path)
    _check_rest(ws, resource, identity, path)


def _check_field(
    ws: Workspace, resource: Resource, identity: IdentityTable, word: str, name: str, path: str
) -> None:
    place, field = identity.place.of(word), resource.fields.get(Name(name))
    if field is None:
        message = f'there is no field "{name}"{did_you_mean(name, resource.fields)}'
        ws.problems.add("unknown_field", place, f"{path}.{word}", message)
    elif field.type and (field.type not in _TYPES[word] or field.column is None):
        message = f'"{name}" has to be a stored {" or ".join(_TYPES[word])}'
        ws.problems.add("identity", place, f"{path}.{word}", message)


def _check_rest(ws: Workspace, resource: Resource, identity: IdentityTable, path: str) -> None:
    """The host can make a row only where it knows every value, or may leave it out."""
    known = {name for _, name in named_fields(identity)}
    fields = {name: it for name, it in resource.fields.items() if name not in known}
    unknown: list[str] = [name for name, field in fields.items() if _is_wanted(resource, name, field)]
    unknown += [name for name, it in resource.relations.items() if it.required and not it.many]
    if unknown:
        message = f"the host makes rows here and has no value for {', '.join(unknown)}: give a default"
        ws.problems.add("identity", identity.place, path, message)


def _is_wanted(resource: Resource, name: str, field: Field) -> bool:
    stamped, versioned = resource.mixins.stamped, resource.mixins.versioned
    filled = {
        *((versioned.name,) if versioned else ()),
        *((stamped.created, stamped.updated) if stamped else ()),
    }
    is_filled = name in filled or field.default is not None or field.counter is not None
    return not field.nullable and not is_filled and field.column is not None
