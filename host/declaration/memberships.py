"""Which rows say that an account is a member: what `member()` means. The linker checks with it, rules are compiled with it.

`member(members)` names the rows; `member('investigation')` names what the actor is a member of, this row itself or the one
that a relation of that name leads to, and finds its only relation to such rows. Further arguments are roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from host.declaration import trees as tree
from host.declaration.keys import attributes
from host.declaration.nodes import Field, Relation, Resource
from host.declaration.problems import did_you_mean
from host.declaration.syntax import ExpressionError
from host.declaration.workspace import ACCOUNT, short

ROLE = "role"
Resources = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Membership:
    """What a `member()` asks: the path to the rows, their relation to an account, and the roles that count.

    `relation` is None where the rows are accounts themselves; without `roles` every row counts.
    """

    path: tuple[str, ...]
    relation: str | None
    roles: tuple[str, ...]


def membership(resources: Resources, resource: str, call: tree.Call) -> Membership:
    """What a `member()` in a rule of this resource asks. Raises ExpressionError where it means nothing."""
    first, *others = call.arguments or (None,)
    if isinstance(first, tree.Literal) and isinstance(first.value, str):
        path = _path_to(resources, resource, first.value)
    elif isinstance(first, tree.Column):
        path = first.path[1:] if first.path[0] == "row" else first.path
    else:
        raise ExpressionError(
            "member() is written member(members) or member('team', 'owner')", code="arguments"
        )
    roles = tuple(it.value for it in others if isinstance(it, tree.Literal) and isinstance(it.value, str))
    if len(roles) != len(others):
        raise ExpressionError("member() takes names of roles: member(members, 'owner')", code="arguments")
    target = _rows(resources, resource, path)
    if target == ACCOUNT or resources[target].identity is not None:
        if roles:
            raise ExpressionError(f"{target} has accounts, which have no role there", code="arguments")
        return Membership(path, None, ())
    relation = member_relation(resources[target])
    if relation is None:
        message = f"member() needs rows with exactly one relation to an account, `{'.'.join(path)}` has not"
        raise ExpressionError(message, code="arguments")
    _check_roles(resources[target], target, roles)
    return Membership(path, relation, roles)


def member_relation(resource: Resource) -> str | None:
    """The relation that makes an account a member through a row: its only to-one relation to an account."""
    owner = resource.mixins.owned.name if resource.mixins.owned else None
    found = [
        str(key)
        for key, it in resource.relations.items()
        if it.account is not None and not it.many and key != owner
    ]
    return found[0] if len(found) == 1 else owner if not found else None


def _path_to(resources: Resources, resource: str, noun: str) -> tuple[str, ...]:
    """The path to the memberships of what a noun means here."""
    here = resources[resource]
    if noun == short(resource):
        return (_memberships(resources, resource, noun),)
    ones = {str(key): it for key, it in here.relations.items() if not it.many}
    if noun not in ones:
        raise ExpressionError(
            f'there is no relation "{noun}" to one row{did_you_mean(noun, ones)}', code="arguments"
        )
    return (noun, _memberships(resources, ones[noun].to, noun))


def _memberships(resources: Resources, name: str, noun: str) -> str:
    found = [
        str(key)
        for key, it in resources[name].relations.items()
        if it.many and it.by and it.to in resources and _is_membership(resources, it)
    ]
    if len(found) != 1:
        rows = f"{' and '.join(found)} are" if found else "no relation is"
        message = f'what makes a member of "{noun}": {rows}; name the rows: member({noun}.members)'
        raise ExpressionError(message, code="arguments")
    return found[0]


def _is_membership(resources: Resources, relation: Relation) -> bool:
    """Whether the rows over there are memberships: they refer to an account, and are owned by nobody else."""
    target = resources[relation.to]
    return target.mixins.owned is None and member_relation(target) is not None


def _rows(resources: Resources, resource: str, path: tuple[str, ...]) -> str:
    """The resource whose rows a path leads to: to-one relations, and one to many at its end."""
    name = resource
    for at, step in enumerate(path):
        found = attributes(resources[name]).get(step)
        is_last = at == len(path) - 1
        if not isinstance(found, Relation) or found.many != is_last or found.to not in resources:
            message = f"member() asks a relation to many rows, `{'.'.join(path)}` is none"
            raise ExpressionError(message, code="arguments")
        name = found.to
    return name


def _check_roles(target: Resource, name: str, roles: tuple[str, ...]) -> None:
    field = target.fields.get(ROLE)
    if roles and (not isinstance(field, Field) or field.type not in ("enum", "string")):
        raise ExpressionError(
            f'the rows of {name} have no field "{ROLE}" that roles could stand in', code="arguments"
        )
    for role in roles:
        if field is not None and field.values and role not in field.values:
            message = f'{name} has no role "{role}"{did_you_mean(role, field.values)}'
            raise ExpressionError(message, code="arguments")
