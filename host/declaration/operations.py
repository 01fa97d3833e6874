"""Actions of resources and endpoints of none: their types, statuses, paths and rules."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from host.declaration.access import check_rules
from host.declaration.identities import check_credential, check_names, check_work, with_identity
from host.declaration.keys import key_fields
from host.declaration.nodes import Action, Endpoint, Field, Name, PathTemplate, Resource
from host.declaration.problems import Place, did_you_mean
from host.declaration.scopes import Scope
from host.declaration.types import link_field
from host.declaration.wire_shapes import check_idempotency, completed_endpoint
from host.declaration.workspace import Workspace, owner_of, short

STANDARD: Final = ("list", "get", "create", "update", "delete", "bulk", "export", "import", "history")
_PARAMETER: Final = re.compile(r"\{([a-z0-9_.]+)\}")


def link_actions(workspace: Workspace, name: str) -> None:
    """Complete the actions of one resource."""
    resource = workspace.resources[name]
    actions = {
        key: _linked_action(workspace, name, resource, key, action)
        for key, action in resource.actions.items()
    }
    workspace.resources[name] = replace(resource, actions=actions)


def link_endpoint(workspace: Workspace, name: str) -> None:
    """Complete one endpoint."""
    endpoint = workspace.endpoints[name]
    path = f"endpoints.{short(name)}"
    check_work(workspace, endpoint, path)
    check_credential(workspace, endpoint, path)
    if endpoint.identity:
        endpoint = with_identity(workspace, name, endpoint, path)
    filled = _typed(workspace, endpoint, owner_of(name), path)
    if endpoint.identity:
        check_names(workspace, filled, path)
    _check_guarded(workspace, endpoint, Scope(owner_of(name)), path)
    if endpoint.path and not endpoint.path.startswith("/"):
        place = endpoint.place.of("path")
        workspace.problems.add("bad_form", place, f"{path}.path", "the path of an endpoint begins with /")
    _check_parameters(workspace, filled, parameters(endpoint.path), path)
    workspace.endpoints[name] = completed_endpoint(workspace, filled, owner_of(name), path)


def parameters(path: str) -> tuple[str, ...]:
    """The names in braces of a path."""
    return tuple(_PARAMETER.findall(path))


def _linked_action(ws: Workspace, name: str, resource: Resource, key: str, action: Action) -> Action:
    path = f"{short(name)}.actions.{key}"
    if key in STANDARD:
        place = resource.place.of("actions").name(key)
        ws.problems.add(
            "duplicate_name", place, path, f'"{key}" is a generated operation: name the action otherwise'
        )
    filled: Action = _typed(ws, action, owner_of(name), path)
    is_item = action.target == "item"
    _check_guarded(ws, action, Scope(owner_of(name), name if is_item else None), path)
    filled = replace(filled, path=filled.path or PathTemplate(key))
    names = set(parameters(filled.path or ""))
    keys = set(key_fields(resource))
    if is_item and (filled.path or "").startswith("/") and not keys <= names:
        message = f"the path of an item's action contains {', '.join(f'{{{it}}}' for it in sorted(keys))}"
        ws.problems.add("path_parameter", action.place.of("path"), f"{path}.path", message)
    rest = [it for it in parameters(filled.path or "") if not (is_item and it in keys)]
    _check_parameters(ws, filled, tuple(it for it in rest if not _is_parent(ws, resource, filled, it)), path)
    return filled


def _is_parent(ws: Workspace, resource: Resource, action: Action, name: str) -> bool:
    """Whether a parameter of an action's path fixes a relation of the rows, as in a collection's path."""
    if action.input is not None and name in action.input.fields:
        return False
    at: Resource | None = resource
    for step in name.split("."):
        relation = at.relations.get(Name(step)) if at is not None else None
        if relation is None or relation.many or not relation.required:
            return False
        at = ws.resources.get(relation.to)
    return True


def _typed(ws: Workspace, operation: Any, plugin: str, path: str) -> Any:
    """An action or endpoint with its input and output types linked and its status and transaction decided."""
    body = link_field(ws, operation.input, plugin, f"{path}.in", "value") if operation.input else None
    out = link_field(ws, operation.out, plugin, f"{path}.out", "out") if operation.out else None
    if body and body.type and body.type != "object" and operation.method == "GET":
        place = operation.input.place
        ws.problems.add(
            "value", place, f"{path}.in", "the input of a GET comes from the query string: it is an object"
        )
    if operation.status is not None and not 200 <= operation.status <= 299:
        ws.problems.add("status", operation.place.of("status"), f"{path}.status", "success is 200 to 299")
    if operation.detached and operation.write:
        message = "`detached` runs outside of a transaction: it opens its own where it writes"
        ws.problems.add("conflict", operation.place.name("detached"), path, message)
    check_idempotency(ws, operation.idempotency, path, takes_key=operation.method != "GET")
    has_answer = out is not None and out.type != "none"
    return replace(
        operation,
        input=body,
        out=out,
        status=operation.status or (200 if has_answer else 204),
        write=not operation.detached
        and (operation.method != "GET" if operation.write is None else operation.write),
    )


def _check_guarded(ws: Workspace, operation: Action | Endpoint, scope: Scope, path: str) -> None:
    place = operation.place.of("access")
    if not operation.access and "access" in operation.place.keys:
        ws.problems.add("no_access", place, f"{path}.access", "nobody may call it: give `access` a rule")
    check_rules(ws, scope, operation.access, place, f"{path}.access")


def _check_parameters(ws: Workspace, operation: Action | Endpoint, names: tuple[str, ...], path: str) -> None:
    fields: dict[str, Field] = {}
    if operation.input is not None:
        fields = {str(key): it for key, it in operation.input.fields.items()}
    for name in names:
        if name not in fields:
            message = f"the path has {{{name}}}, which is no field of `in`{did_you_mean(name, fields)}"
            ws.problems.add("path_parameter", _path_place(operation), f"{path}.path", message)


def _path_place(operation: Action | Endpoint) -> Place:
    return operation.place.of("path")
