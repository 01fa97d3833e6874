"""Actions carried out: the rule, the row, the plugin's function, the events. By the web layer at once, or by a job later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.compiler.parents import Parent, parents_in
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Action, Field, Name
from host.errors import Forbidden, NotFound
from host.service.context import Context
from host.service.emitting import emit_of_action
from host.service.parents import below
from host.service.runtime import Runtime
from host.service.shaping import shape_of
from host.service.tasks import Task
from host.service.writing import locked

Row = dict[str, Any]


def parents_of(runtime: Runtime, wire: CompiledWire, action: Action) -> tuple[Parent, ...]:
    """What the action's path fixes."""
    path, models = action.path or "", runtime.registry.models
    if not path.startswith("/"):
        return wire.parents
    others = [key.name for key in wire.told_by] if action.target == "item" else []
    return parents_in(path, wire.model, models, [*others, *(action.input.fields if action.input else ())])


def input_name(wire: CompiledWire, name: str) -> str:
    """The component of the action's input."""
    return f"{camel(wire.model.name)}{camel(name)}Input"


def loaded_input(runtime: Runtime, wire: CompiledWire, name: str, action: Action, given: Any) -> Row:
    """The native input. Raises Invalid."""
    schemas, unknown = runtime.registry.schemas, action.unknown or wire.declared.unknown
    schema = schemas.value(
        input_name(wire, name), action.input or Field(type="object"), wire.declared.values, unknown
    )
    return schemas.load(schema, given)


def is_writing(node: Any) -> bool:
    """Whether an action or endpoint runs in a writing transaction."""
    return not node.detached and (node.write if node.write is not None else node.method != "GET")


def acted_row(
    ctx: Context, wire: CompiledWire, action: Action, keys: tuple[Any, ...], *, is_locked: bool
) -> Row:  # fmt: skip
    """The native row, if the action's own rule holds on it."""
    if is_locked:
        return locked(ctx, wire, keys, action.access)[0]
    if ctx.work is None:
        with ctx.reading() as short:
            return acted_row(short, wire, action, keys, is_locked=False)
    plan = ctx.runtime.plans.checked(wire.model, ctx.facts, ("get", action.access), ctx.under)
    found = plan.fetch(ctx.transaction.driver, keys, ctx.values)
    if found is None or not found.verdicts[0]:
        raise NotFound(f"there is no such {wire.model.spoken}")
    if not found.verdicts[1]:
        raise Forbidden(f"you may not do this to this {wire.model.spoken}")
    return found.row()


def check_actor(ctx: Context, wire: CompiledWire, action: Action) -> None:
    """Raise Forbidden where the rule of a collection's action does not hold."""
    if not ctx.runtime.policy.actor_may(wire.model.plugin, action.access, ctx.facts):
        raise Forbidden("you may not do this")


def act(ctx: Context, wire: CompiledWire, action: Action, row: Row | None, data: Row) -> Any:
    """Call the plugin's function, and emit what the action declares; answers what the function returned."""
    model = wire.model
    call = ctx.runtime.calls[f"{model.plugin}:{action.call}"]
    result = call(ctx, data) if row is None else call(ctx, row, data)
    if action.emits:
        emit_of_action(ctx, model, action, row, data, result)
    return result


# --- by a job ---------------------------------------------------------------------------------------------------------


def defer(
    ctx: Context, wire: CompiledWire, name: str, given: Any, keys: tuple[Any, ...] | None, parents: Mapping[str, Any]
) -> str:  # fmt: skip
    """Have an action carried out after this transaction, whose input and rule have been checked; answers the job's id."""
    data = {
        "wire": wire.name, "input": given, "keys": None if keys is None else [str(it) for it in keys],
        "parents": {parameter: str(value) for parameter, value in parents.items()},
    }  # fmt: skip
    return ctx.jobs.add(ctx.runtime.tasks[f"{wire.model.name}.{name}"], data)


def act_later(ctx: Context, task: Task, data: Row) -> Any:
    """Carry a deferred action out: its rule is asked again, of the row as it is now. Answers its result as JSON."""
    assert task.action is not None  # only actions come here
    model = ctx.runtime.registry.model(task.action[0])
    action = model.declared.actions[Name(task.action[1])]
    wire = next(it for it in ctx.runtime.registry.wires[model.name] if it.name == data["wire"])
    given = loaded_input(ctx.runtime, wire, task.action[1], action, data["input"])
    parents = parents_of(ctx.runtime, wire, action)
    if parents:
        fixed = {it.parameter: _parsed(ctx, it.relation, data["parents"][it.parameter]) for it in parents}
        ctx = below(ctx, parents, fixed)
    row = None
    if data["keys"] is None:
        check_actor(ctx, wire, action)
    else:
        keys = tuple(_parsed(ctx, key, text) for key, text in zip(model.keys, data["keys"], strict=True))
        row = acted_row(ctx, wire, action, keys, is_locked=is_writing(action))
    result = act(ctx, wire, action, row, given)
    return (
        None if action.out is None or action.out.type == "none" else shape_of(ctx, action.out, wire)(result)
    )


def _parsed(ctx: Context, key: Any, text: str) -> Any:
    """A key that was stored as a text."""
    return ctx.runtime.registry.kinds[key.field.type].parse(text, key.field)
