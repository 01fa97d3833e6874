"""Actions and endpoints: the plugin's own operations, typed in and out like the generated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from host.compiler.expressions import Facts
from host.compiler.parents import Parent, parents_in
from host.compiler.readers import converter
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Action, Endpoint, Field, Key, WireValues
from host.declaration.operations import parameters
from host.declaration.paths import action_paths
from host.errors import FieldError, Forbidden, Invalid, MalformedKey, NotFound, UnsupportedMediaType
from host.fields.forms import STANDARD, Form
from host.service.context import Context
from host.service.emitting import emit_of_action
from host.service.runtime import Runtime
from host.service.streams import Stream
from host.service.writing import locked
from host.web.http import FORM, Answer, Request, json_answer
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
            wire=self.wire, access=action.access, status=success_status(action), input=sent(action, path), out=action.out,
            unknown=action.unknown or self.wire.declared.unknown, doc=action.doc, errors=errors,
            slash=self.wire.declared.slash == "both", is_public=runtime_may(self.runtime, self.wire, action),
            parameters=path_attributes(self.parents, self.wire if is_item else None), repeats=repeats_of(action),
            details={"target": action.target, "name": self.name}, limits=limits_of(f"{model.name}.{self.name}", action),
        )  # fmt: skip

    @cached_property
    def parents(self) -> tuple[Parent, ...]:
        """What the action's path fixes."""
        path, models = self.action.path or "", self.runtime.registry.models
        if not path.startswith("/"):
            return self.wire.parents
        model = self.wire.model
        others = [key.name for key in self.wire.told_by] if self.action.target == "item" else []
        return parents_in(
            path, model, models, [*others, *(self.action.input.fields if self.action.input else ())]
        )

    def handle(self, request: Request) -> Answer:
        action, model = self.action, self.wire.model
        unknown = action.unknown or self.wire.declared.unknown
        data = read_input(
            self.runtime,
            request,
            action,
            f"{camel(model.name)}{camel(self.name)}Input",
            self.wire.declared.values,
            unknown,
        )
        call = self.runtime.calls[f"{model.plugin}:{action.call}"]
        with transaction(self.runtime, request, action, model.plugin) as begun:
            ctx = placed(begun, self.parents, request)
            row = self._row(ctx, request) if action.target == "item" else None
            if row is not None:
                result = call(ctx, row, data)
            else:
                if not self.runtime.policy.actor_may(model.plugin, action.access, ctx.facts):
                    raise Forbidden("you may not do this")
                result = call(ctx, data)
            if action.emits:
                emit_of_action(ctx, model, action, row, data, result)
            return answered(ctx, action, result, self.wire, f"{camel(model.name)}{camel(self.name)}Output")

    def _row(self, ctx: Context, request: Request) -> dict[str, Any]:
        """The native row, if the action's own rule holds on it; locked when the action writes."""
        keys = row_keys(self.runtime, self.wire, request, self.parents)
        if is_writing(self.action):
            return locked(ctx, self.wire, keys, self.action.access)[0]
        if ctx.work is not None:
            return self._read(ctx, keys)
        with ctx.reading() as short:
            return self._read(short, keys)

    def _read(self, ctx: Context, keys: tuple[Any, ...]) -> dict[str, Any]:
        plan = ctx.runtime.plans.checked(self.wire.model, ctx.facts, ("get", self.action.access), ctx.under)
        found = plan.fetch(ctx.transaction.driver, keys, ctx.values)
        if found is None or not found.verdicts[0]:
            raise NotFound(f"there is no such {self.wire.model.spoken}")
        if not found.verdicts[1]:
            raise Forbidden(f"you may not do this to this {self.wire.model.spoken}")
        return found.row()


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
            return answered(ctx, endpoint, call(ctx, data), None, f"{camel(self.name)}Output")


def runtime_may(runtime: Runtime, wire: CompiledWire, action: Action) -> bool:
    """Whether an anonymous caller may get past the door of an action."""
    if action.target == "collection":
        return runtime.policy.actor_may(wire.model.plugin, action.access, Facts())
    return runtime.policy.condition(wire.model, action.access, Facts()) is not False


def success_status(node: Action | Endpoint) -> int:
    """The declared status, else 204 for nothing and 200 for something."""
    return node.status or (204 if node.out is None or node.out.type == "none" else 200)


def repeats_of(node: Action | Endpoint) -> Repeats | None:
    """How it takes an `Idempotency-Key`; reading may be repeated without."""
    return None if node.method == "GET" else Repeats.of(node.idempotency, is_joined=not node.detached)


def is_writing(node: Action | Endpoint) -> bool:
    """Whether it runs in a writing transaction."""
    return not node.detached and (node.write if node.write is not None else node.method != "GET")


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
    """The native input: the JSON body, or the query string with GET. Without a declared input there must be none."""
    schemas = runtime.registry.schemas
    field = node.input or Field(type="object")
    told = _path_values(runtime, request, field)
    if node.method == "GET":
        given: Any = _query_values(runtime, request.query, field, unknown)
    elif isinstance(node, Endpoint) and is_form(request, node):
        given = _query_values(runtime, request.body().decode(errors="replace"), field, unknown)
    else:
        given = request.json(is_optional=bool(told) or node.input is None or not field.required)
    given = {**given, **told} if told and isinstance(given, dict) else given
    return schemas.load(schemas.value(name, field, values, unknown), given)


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


def answered(
    ctx: Context, node: Action | Endpoint, result: Any, wire: CompiledWire | None, name: str
) -> Answer:
    """The function's result in the declared form."""
    status = success_status(node)
    if isinstance(result, Stream):
        return Answer(status, result.pieces, result.content_type, list(result.headers))
    if node.out is None or node.out.type == "none":
        return Answer(status, b"", None)
    return json_answer(shape_of(ctx, node.out, wire)(result), status)


def shape_of(ctx: Context, out: Field, wire: CompiledWire | None) -> Callable[[Any], Any]:
    """A function from native values to the outer form: resources through their wire, types through their fields."""
    registry = ctx.runtime.registry
    if out.type in registry.models:
        target = _wire_of(ctx, out.type, wire)
        return lambda row: None if row is None else _shown(ctx, target, row)
    if out.type == "list" and out.of is not None:
        inner = shape_of(ctx, out.of, wire)
        return lambda rows: [inner(row) for row in rows]
    form = wire.form if wire is not None else STANDARD
    return _converter(ctx, out, form)


def _shown(ctx: Context, wire: CompiledWire, row: Mapping[str, Any]) -> Any:
    """A stored row as the wire shows it to the actor; that it may be answered is the function's decision."""
    if ctx.work is None:
        with ctx.reading() as short:
            return _shown(short, wire, row)
    keys = tuple(row[key.name] for key in wire.model.keys)
    found = ctx.runtime.plans.checked(wire, ctx.facts, ()).fetch(ctx.transaction.driver, keys, ctx.values)
    return found.row() if found is not None else None


def _converter(ctx: Context, field: Field, form: Form) -> Callable[[Any], Any]:
    registry = ctx.runtime.registry
    return ctx.runtime.plans.kept(
        ("converter", id(field), form),
        field,
        lambda: converter(field, registry.kinds, form),
    )


def _wire_of(ctx: Context, name: str, wire: CompiledWire | None) -> CompiledWire:
    if wire is not None and wire.model.name == name:
        return wire
    wires = ctx.runtime.registry.wires[name]
    return next((found for found in wires if wire is not None and found.name == wire.name), wires[0])
