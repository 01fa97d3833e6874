"""The events that an action declares by `emits`: made of what the action was given and of what it answers.

The web layer asks for it after the action's function, and so does the job of an action that is carried out by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.compiler.models import Model
from host.declaration.nodes import Action
from host.service.context import Context


def emit_of_action(
    ctx: Context, model: Model, action: Action, row: Mapping[str, Any] | None, data: Any, result: Any
) -> None:
    """Each datum is the one of this name in the input, else in the answer, else in the row."""
    sources = [it for it in (data, result, row) if isinstance(it, Mapping)]
    for word in action.emits:
        about = row if row is not None else result
        names = [str(name) for name in model.declared.events[word]]
        found = {name: _first(sources, name) for name in names}
        given = {name: value for name, value in found.items() if value is not None}
        ctx.within(model.plugin).emit(f"{model.name}.{word}", about, given)


def _first(sources: list[Mapping[str, Any]], name: str) -> Any:
    return next((it[name] for it in sources if it.get(name) is not None), None)
