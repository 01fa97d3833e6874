"""Rows that are made together with another one, as the first member of a team is with the team."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host.compiler.models import Model
from host.service.context import Context

Store = Callable[[Context, Model, Mapping[str, Any]], tuple[Any, ...]]


def store_firsts(
    ctx: Context, model: Model, keys: tuple[Any, ...], row: Mapping[str, Any], store: Store
) -> None:
    """Store what relations declare as `first`. No rule is asked: the permission is that of making the row itself."""
    for link in model.firsts:
        first = link.relation.first
        assert first is not None and link.back is not None  # one of `Model.firsts`
        copied = {name: row.get(source) for name, source in first.copy.items()}
        store(
            ctx.as_system(),
            ctx.runtime.registry.models[link.target],
            {**first.values, **copied, link.back: keys[0]},
        )
