"""Requests below the parents that a path fixes, and rows in it: from the texts of the path to keys and contexts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from host.compiler.models import Attribute
from host.compiler.parents import Parent
from host.compiler.wires import CompiledWire
from host.errors import Hidden, MalformedKey, NotFound
from host.service.context import Context
from host.service.parents import below, is_hidden, keys_of
from host.service.runtime import Runtime
from host.web.http import Answer, Request
from host.web.operations import Handler


def key_value(runtime: Runtime, key: Attribute, text: str) -> Any:
    """A text as a key's value. ValueError says what a key is."""
    return runtime.registry.kinds[key.field.type].parse(_key_text(text, key.field), key.field)


def _key_text(text: str, field: Any) -> str:
    if field.pattern and field.min == field.max and len(text) != field.max:
        raise ValueError(f"{field.max} hexadecimal digits")
    if len(text) > 512:
        raise ValueError("shorter")
    return text


def row_keys(
    runtime: Runtime, wire: CompiledWire, request: Request, parents: tuple[Parent, ...] | None = None
) -> tuple[Any, ...]:
    """The row's key out of the path. A text that cannot be a key is MalformedKey, which is not found.

    `parents` are the wire's, unless the path is an action's own.
    """
    model, found = wire.model, []
    for key in wire.told_by:
        try:
            found.append(key_value(runtime, key, request.params[key.name]))
        except ValueError as error:
            raise MalformedKey(f"there is no such {model.spoken}: its key is {error}") from None
    if wire.declared.by is None:
        return tuple(found)
    parents = wire.parents if parents is None else parents
    keys = keys_of(runtime, model, wire.told_by[0], found[0], parents, parent_keys(runtime, parents, request))
    if keys is None:
        raise NotFound(f"there is no such {model.spoken}")
    return keys


def placed(ctx: Context, parents: tuple[Parent, ...], request: Request) -> Context:
    """The context below the parents of the path. NotFound where one is not there for this actor."""
    return below(ctx, parents, parent_keys(ctx.runtime, parents, request)) if parents else ctx


def parent_keys(runtime: Runtime, parents: tuple[Parent, ...], request: Request) -> Mapping[str, Any]:
    """The keys of the parents out of the path, by the names of its parameters."""
    found = {}
    for parent in parents:
        try:
            found[parent.parameter] = key_value(runtime, parent.relation, request.params[parent.parameter])
        except ValueError as error:
            spoken = runtime.registry.models[parent.target].spoken
            raise MalformedKey(f"there is no such {spoken}: its key is {error}") from None
    return found


def filled(path: str, params: Mapping[str, Any]) -> str:
    """A served path with its parameters filled in."""
    for name, value in params.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return path


def telling_hidden(
    runtime: Runtime, wire: CompiledWire, parents: tuple[Parent, ...], handler: Handler, *, is_item: bool
) -> Handler:  # fmt: skip
    """The handler, telling what is hidden from what is not there, where the wire gives that a status."""
    if "hidden" not in wire.declared.errors.status:
        return handler

    def handle(request: Request) -> Answer:
        try:
            return handler(request)
        except NotFound as error:
            if type(error) is not NotFound:
                raise
            keys = _keys_there(runtime, wire, request, parents) if is_item else ()
            ctx = runtime.context(request.actor, request_id=request.id)
            if is_hidden(ctx, wire.model, keys, parents, parent_keys(runtime, parents, request)):
                raise Hidden(f"you may not see this {wire.model.spoken}") from None
            raise

    return handle


def _keys_there(
    runtime: Runtime, wire: CompiledWire, request: Request, parents: tuple[Parent, ...]
) -> tuple[Any, ...]:
    try:
        return row_keys(runtime, wire, request, parents)
    except NotFound:  # what tells the row leads to none
        return ()
