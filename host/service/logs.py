"""Logs compiled: which resources are made of which log, and how their values stand in the data of events.

Data only; `log_appending` adds events, `log_folding` makes rows of them. Nothing here knows of devices: see `host.sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from host.compiler.models import Attribute, Model
from host.compiler.readers import converter
from host.compiler.registry import Registry
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field, Log
from host.fields.forms import NATIVE, Source

Kind = Literal["created", "updated", "deleted", "undo"]
Values = dict[str, Any]
CAUSE = "caused_by"  # in the data of a deletion that followed from another one: the id of that event


@dataclass(frozen=True, slots=True)
class Told:
    """One stored value in the data of events. `tell` makes JSON of it, `read` makes it of JSON."""

    name: str
    outer: str
    tell: Callable[[Any], Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class CompiledLog:
    """One log."""

    model: Model
    node: Log
    source: Source

    @property
    def name(self) -> str:
        """The log's qualified name."""
        return self.model.name

    @cached_property
    def owner(self) -> Attribute:
        """Whose event it is."""
        assert self.model.owner is not None  # the linker wants one
        return self.model.owner

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """What happened, by the word that the log has for it."""
        words, kinds = self.node.words, ("created", "updated", "deleted", "undo")
        return {
            getattr(words, kind): kind  # type: ignore[misc]  # each is a Kind
            for kind in kinds
            if kind != "undo" or self.node.undo is not None
        }

    @property
    def is_by_time(self) -> bool:
        """Whether events count in the order of the devices' clocks, and not in that in which they came."""
        return self.node.conflict == "last_writer"

    def column(self, role: str) -> Any:
        """The column that plays a role."""
        return self.model.attributes[getattr(self.node, role)].column


@dataclass(frozen=True, eq=False)
class CompiledLogged:
    """One resource that is made of a log. `type` is how the log names it."""

    model: Model
    log: CompiledLog
    type: str
    wire: CompiledWire
    registry: Registry

    @cached_property
    def values(self) -> Mapping[str, Told]:
        """Everything stored that events tell, by inner name: all but key, owner and what mixins keep."""
        kept = self._kept_by_mixins()
        schema = self.registry.schemas.restore(self.wire)
        return {
            it.name: Told(
                it.name,
                schema.fields[it.name].data_key or it.name,
                self._telling(it.name, it.field),
                _reading(schema.fields[it.name]),
            )
            for it in self.model.stored()
            if not it.is_key and it.name not in kept
        }

    @cached_property
    def outer(self) -> Mapping[str, Told]:
        """The same by outer name."""
        return {it.outer: it for it in self.values.values()}

    @cached_property
    def transient(self) -> Mapping[str, tuple[str, Callable[[Any], Any]]]:
        """What is never stored in the row, and yet told: its outer name and how it becomes JSON."""
        return {
            name: (self.wire.outer.get(name, name), self._telling(name, node))
            for name, node in self.model.declared.fields.items()
            if node.transient and not node.secret
        }

    def absent(self, at: datetime) -> Values:
        """What the data of an event say that makes a row and leaves this out."""
        declared = self.model.declared
        texts = {"date": f"{at:%Y-%m-%d}", "datetime": at.isoformat().replace("+00:00", "Z")}
        return {
            self.wire.outer.get(name, name): texts.get(declared.fields[name].type, value)
            for name, value in (declared.logged.absent.items() if declared.logged is not None else ())
        }

    def told(self, values: Mapping[str, Any]) -> Values:
        """Native values as the data of an event."""
        known = self.values
        return {known[name].outer: known[name].tell(value) for name, value in values.items() if name in known}

    def told_beside(self, values: Mapping[str, Any]) -> Values:
        """Transient values as the data of an event."""
        known = self.transient
        return {known[name][0]: known[name][1](value) for name, value in values.items() if name in known}

    def _kept_by_mixins(self) -> frozenset[str]:
        mixins = self.model.declared.mixins
        names = [mixins.owned.name] if mixins.owned else []
        names += [mixins.stamped.created, mixins.stamped.updated or ""] if mixins.stamped else []
        names += [it.name for it in (mixins.soft_delete, mixins.versioned) if it is not None]
        return frozenset(names)

    def _telling(self, name: str, field: Field) -> Callable[[Any], Any]:
        unit = self.wire.declared.units.get(name)
        form = replace(self.wire.form, duration=unit) if unit else self.wire.form
        return converter(field, self.registry.kinds, form)


@dataclass(frozen=True, slots=True)
class Subject:
    """The row that events are about."""

    logged: CompiledLogged
    owner: Any
    key: str

    @property
    def log(self) -> CompiledLog:
        """Where its events are."""
        return self.logged.log

    def given(self) -> Values:
        """The parameters of statements about its events; see `of_row`."""
        return {"owner": self.owner, "type": self.logged.type, "key": self.key}


@dataclass(frozen=True, eq=False)
class Logs:
    """The logs of one app and what is made of them."""

    logs: Mapping[str, CompiledLog]
    logged: Mapping[str, CompiledLogged]  # by model
    types: Mapping[tuple[str, str], CompiledLogged]  # by log and type

    @classmethod
    def make(cls, registry: Registry, dialect: Source) -> Logs:
        """As declared."""
        models = registry.models
        logs = {
            name: CompiledLog(model, model.declared.log, dialect)
            for name, model in models.items()
            if model.declared.log is not None
        }
        logged = {
            name: CompiledLogged(
                model, logs[node.log], node.name or model.noun, registry.main_wire(model), registry
            )
            for name, model in models.items()
            if (node := model.declared.logged) is not None
        }
        return cls(logs, logged, {(it.log.name, it.type): it for it in logged.values()})

    def made_of(self, log: CompiledLog) -> tuple[CompiledLogged, ...]:
        """The resources that are made of a log."""
        return tuple(it for it in self.logged.values() if it.log is log)


def of_row(log: CompiledLog) -> list[Any]:
    """The conditions of the events of one row: `owner`, `type` and `key` are parameters."""
    assert log.owner.column is not None
    columns = {"owner": log.owner.column, "type": log.column("type"), "key": log.column("key")}
    return [column == sa.bindparam(name, type_=column.type) for name, column in columns.items()]


def native(log: CompiledLog, registry: Registry, role: str) -> Callable[[Any], Any]:
    """What makes Python's own value of what the driver gives for a role of the log."""
    field = log.model.attributes[getattr(log.node, role)].field
    return converter(field, registry.kinds, NATIVE, log.source)


def _reading(field: Any) -> Callable[[Any], Any]:
    """Without the limits of the field: what was valid once is not refused after they were narrowed."""

    def read(value: Any) -> Any:
        return None if value is None else field._deserialize(value, None, {})

    return read
