"""Actions and endpoints: the plugin's own operations, typed in and out like the generated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from host.compiler.expressions import Facts
from host.compiler.parents import Parent
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Action, Endpoint, Field, Key, WireValues
from host.declaration.operations import parameters
from host.declaration.paths import action_paths
from host.errors import FieldError, Forbidden, Invalid, MalformedKey, UnsupportedMediaType
from host.service.acting import act, acted_row, check_actor, defer, is_writing, loaded_input, parents_of
from host.service.context import Context
from host.service.runtime import Runtime
from host.service.shaping import shape_of
from host.service.streams import Stream
from host.web.http import FORM, Answer, Request, json_answer
from host.web.jobs import accepted, accepted_type
from host.web.limits import limits_of
from host.web.operations import Operation, Repeats, operation_id, path_attributes
from host.web.placing import placed, row_keys, telling_hidden

Shape = Callable[[Context, Any], Any]
PARSED: Final = (
    "boolean",
    "uuid",
)  # beside numbers, the texts of a path or query that are read before they are taken


def action_operations(runtime: Runtime, wire: CompiledWire) -> Iterator[Operation]:
    """The operations of a resource's actions on one wire."""
    wanted, model = wire.declared.operations, wire.model
    for name, action in model.declared.actions.items():
        if (wanted is None or name in wanted) and not _is_served_elsewhere(wire, name, action):
            yield _ActionHandler(runtime, wire, name, action).operation()


def _is_served_elsewhere(wire: CompiledWire, name: str, action: Action) -> bool:
    """Whether an earlier wire serves the absolute path of an action."""
    if not (action.path or "").startswith("/"):
        return False
    first = next(key for key, it in wire.model.declared.wires.items() if name in (it.operations or (name,)))
    return first != wire.name


@dataclass(frozen=True, eq=False)
class _ActionHandler:
    """One action on one wire."""

    runtime: Runtime
    wire: CompiledWire
    name: str
    action: Action

    def operation(self) -> Operation:
        model, action, errors = self.wire.model, self.action, self.wire.declared.errors
        path, *others = action_paths(self.wire.places, model.declared, action)
        is_item = action.target == "item"
        return Operation(
            id=operation_id(self.name, model.name, self.wire), method=action.method, path=path, kind="action",
            handler=telling_hidden(self.runtime, self.wire, self.parents, self.handle, is_item=is_item),
            plugin=model.plugin, summary=action.doc or self.name.replace("_", " ").capitalize(), paths=tuple(others),
            wire=self.wire, access=action.access, status=success_status(action), input=sent(action, path), out=self._out,
            unknown=action.unknown or self.wire.declared.unknown, doc=action.doc, errors=errors,
            slash=self.wire.declared.slash == "both", is_public=runtime_may(self.runtime, self.wire, action),
            parameters=path_attributes(self.parents, self.wire if is_item else None), repeats=repeats_of(action),
            details={"target": action.target, "name": self.name}, limits=limits_of(f"{model.name}.{self.name}", action),
        )  # fmt: skip

    @property
    def _out(self) -> Field | None:
        return accepted_type(self.runtime) if self.action.job else self.action.out

    @cached_property
    def parents(self) -> tuple[Parent, ...]:
        """What the action's path fixes."""
        return parents_of(self.runtime, self.wire, self.action)

    def handle(self, request: Request) -> Answer:
        action, plugin = self.action, self.wire.model.plugin
        given = given_input(self.runtime, request, action, self._unknown)
        data = loaded_input(self.runtime, self.wire, self.name, action, given)
        if action.job:
            return self._later(request, given)
        with transaction(self.runtime, request, action, plugin) as begun:
            ctx = placed(begun, self.parents, request)
            row = self._row(ctx, request, is_locked=is_writing(action))
            result = act(ctx, self.wire, action, row, data)
            return answered(ctx, action, result, self.wire)

    def _later(self, request: Request, given: Any) -> Answer:
        """The input and the rule are checked now, the rest is a job's."""
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as begun:
            ctx = placed(begun, self.parents, request)
            keys = self._keys(request)
            self._row(ctx, request, is_locked=False)
            return accepted(self.runtime, defer(ctx, self.wire, self.name, given, keys, ctx.parents))

    @property
    def _unknown(self) -> str:
        return self.action.unknown or self.wire.declared.unknown

    def _keys(self, request: Request) -> tuple[Any, ...] | None:
        is_item = self.action.target == "item"
        return row_keys(self.runtime, self.wire, request, self.parents) if is_item else None

    def _row(self, ctx: Context, request: Request, *, is_locked: bool) -> dict[str, Any] | None:
        """The native row, if the action's own rule holds on it; None for a collection's action that may be done."""
        keys = self._keys(request)
        if keys is None:
            check_actor(ctx, self.wire, self.action)
            return None
        return acted_row(ctx, self.wire, self.action, keys, is_locked=is_locked)


def endpoint_operations(runtime: Runtime) -> Iterator[Operation]:
    """The operations that belong to no resource."""
    for name, endpoint in runtime.registry.declaration.endpoints.items():
        if endpoint.identity is None:
            yield _EndpointHandler(runtime, name, endpoint).operation()


@dataclass(frozen=True, eq=False)
class _EndpointHandler:
    """One endpoint."""

    runtime: Runtime
    name: str
    endpoint: Endpoint

    def operation(self) -> Operation:
        endpoint = self.endpoint
        return Operation(
            id=operation_id("", self.name), method=endpoint.method, path=endpoint.path, kind="endpoint",
            plugin=self.plugin, handler=self.handle, access=endpoint.access, status=success_status(endpoint),
            summary=endpoint.doc or self.name.rpartition(".")[2].replace("_", " ").capitalize(), doc=endpoint.doc,
            unknown=endpoint.unknown, input=sent(endpoint, endpoint.path), out=endpoint.out, errors=endpoint.errors,
            repeats=repeats_of(endpoint), credential=endpoint.credential, is_alone=endpoint.alone, media=endpoint.media,
            is_public=self.runtime.policy.actor_may(self.plugin, endpoint.access, Facts()),
            details={"name": self.name.partition(".")[2]}, limits=limits_of(self.name, endpoint),
        )  # fmt: skip

    @property
    def plugin(self) -> str:
        """The plugin that declares it."""
        return self.name.partition(".")[0]

    def handle(self, request: Request) -> Answer:
        endpoint = self.endpoint
        if not self.runtime.policy.actor_may(
            self.plugin, endpoint.access, self.runtime.context(request.actor).facts
        ):
            raise Forbidden("you may not do this")
        data = read_input(
            self.runtime, request, endpoint, f"{camel(self.name)}Input", WireValues(), endpoint.unknown
        )
        call = self.runtime.calls[f"{self.plugin}:{endpoint.call}"]
        with transaction(self.runtime, request, endpoint, self.plugin) as ctx:
            return answered(ctx, endpoint, call(ctx, data), None)


def runtime_may(runtime: Runtime, wire: CompiledWire, action: Action) -> bool:
    """Whether an anonymous caller may get past the door of an action."""
    if action.target == "collection":
        return runtime.policy.actor_may(wire.model.plugin, action.access, Facts())
    return runtime.policy.condition(wire.model, action.access, Facts()) is not False


def success_status(node: Action | Endpoint) -> int:
    """The declared status, else 202 for what a job does, 204 for nothing and 200 for something."""
    if isinstance(node, Action) and node.job:
        return 202
    return node.status or (204 if node.out is None or node.out.type == "none" else 200)


def repeats_of(node: Action | Endpoint) -> Repeats | None:
    """How it takes an `Idempotency-Key`; reading may be repeated without."""
    is_joined = not node.detached or (isinstance(node, Action) and node.job)
    return None if node.method == "GET" else Repeats.of(node.idempotency, is_joined=is_joined)


def transaction(
    runtime: Runtime, request: Request, node: Action | Endpoint, plugin: str
) -> AbstractContextManager[Context]:  # fmt: skip
    """The transaction that the node's function runs in; none, where it is detached."""
    if node.detached:
        return nullcontext(runtime.context(request.actor, request_id=request.id, plugin=plugin))
    begin = runtime.writing if is_writing(node) else runtime.reading
    return begin(request.actor, request.id, plugin)


def read_input(
    runtime: Runtime, request: Request, node: Action | Endpoint, name: str, values: WireValues, unknown: str
) -> dict[str, Any]:  # fmt: skip
    """The native input. Without a declared input there must be none."""
    schemas, field = runtime.registry.schemas, node.input or Field(type="object")
    given = given_input(runtime, request, node, unknown)
    return schemas.load(schemas.value(name, field, values, unknown), given)


def given_input(runtime: Runtime, request: Request, node: Action | Endpoint, unknown: str) -> Any:
    """The input as it was sent: the JSON body, or the query string with GET, with what stands in the path."""
    field = node.input or Field(type="object")
    told = _path_values(runtime, request, field)
    if node.method == "GET":
        given: Any = _query_values(runtime, request.query, field, unknown)
    elif isinstance(node, Endpoint) and is_form(request, node):
        given = _query_values(runtime, request.body().decode(errors="replace"), field, unknown)
    else:
        given = request.json(is_optional=bool(told) or node.input is None or not field.required)
    return {**given, **told} if told and isinstance(given, dict) else given


def is_form(request: Request, node: Endpoint) -> bool:
    """Whether the body is a form of a web page. Raises UnsupportedMediaType where nothing else is read."""
    if "form" in node.media and request.media == FORM:
        return True
    if "json" not in node.media and request.length != 0:
        raise UnsupportedMediaType(f"send the body as {FORM}")
    return False


def _query_values(runtime: Runtime, query: str, field: Field, unknown: str) -> dict[str, Any]:
    """The query string as JSON values of the declared fields: numbers and truths parsed, the rest as texts."""
    found: dict[str, Any] = {}
    errors = []
    for name, text in _pairs(query):
        node = field.fields.get(Key(name))
        if node is None:
            if unknown == "refuse":
                errors.append(FieldError(name, "unknown", "nobody declared this parameter"))
            continue
        try:
            found[name] = _value_of(runtime, node, text)
        except ValueError as error:
            errors.append(FieldError(name, "value", f"expected {error}"))
    if errors:
        raise Invalid("the query is not valid", errors)
    return found


def _value_of(runtime: Runtime, node: Field, text: str) -> Any:
    kind = runtime.registry.kinds[node.type]
    return kind.parse(text, node) if kind.is_numeric or node.type in PARSED else text


def _path_values(runtime: Runtime, request: Request, field: Field) -> dict[str, Any]:
    """Input that stands in the path. What cannot be a value there is not found."""
    try:
        return {
            name: _value_of(runtime, field.fields[Key(name)], text)
            for name, text in request.params.items()
            if name in field.fields
        }
    except ValueError as error:
        raise MalformedKey(f"there is nothing at this path: expected {error}") from None


def sent(node: Action | Endpoint, path: str) -> Field | None:
    """The input without what stands in the path."""
    named = parameters(path)
    if node.input is None or not named:
        return node.input
    rest = {name: it for name, it in node.input.fields.items() if name not in named}
    return replace(node.input, fields=rest) if rest else None


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise Invalid.at("", "query", "the query string cannot be read") from None


def answered(ctx: Context, node: Action | Endpoint, result: Any, wire: CompiledWire | None) -> Answer:
    """The function's result in the declared form."""
    status = success_status(node)
    if isinstance(result, Stream):
        return Answer(status, result.pieces, result.content_type, list(result.headers))
    if node.out is None or node.out.type == "none":
        return Answer(status, b"", None)
    return json_answer(shape_of(ctx, node.out, wire)(result), status)
