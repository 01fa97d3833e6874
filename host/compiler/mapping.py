"""ORM classes over the compiled tables, mapped imperatively in a registry of the app's own: two apps never share mappers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import orm

from host.compiler.models import Model, Models
from host.compiler.schemas import camel


def map_classes(models: Models) -> Mapping[str, type[Any]]:
    """One class for each model, with its attributes by their declared names; to-one relations hold the key."""
    mapper_registry = orm.registry()
    return {name: _map(mapper_registry, model) for name, model in models.items()}


def _map(mapper_registry: orm.registry, model: Model) -> type[Any]:
    made: type[Any] = type(camel(model.name), (), {"__module__": f"host_models.{model.plugin}"})
    properties = {attribute.name: attribute.column for attribute in model.stored()}
    mapper_registry.map_imperatively(made, model.table, properties=properties)
    return made
