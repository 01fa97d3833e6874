"""Bulk create, update and delete: `POST`, `PATCH` and `DELETE` on `<collection>/bulk`, each one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from host.compiler.models import Attribute, Model
from host.compiler.wires import CompiledWire
from host.errors import FieldError, HostError, Invalid, PreconditionRequired
from host.service import writing
from host.service.plans import Found
from host.service.runtime import Runtime
from host.service.writing import Given
from host.transfer.bulk import at_item, items_of, load_items
from host.web.collection import collection_operation, serves
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation
from host.web.placing import key_value
from host.web.resources import ResourceOperations
from host.web.updates import load_patch

BODY_LIMIT = 8 << 20


@dataclass(frozen=True)
class Addressed:
    """An item that names a row: its key, the version it was read at, and the values to set."""

    keys: tuple[Any, ...]
    version: int | None
    values: Given

    def match(self, found: Found) -> bool:
        """Whether the row still has the version that the item names."""
        return self.version is None or found.version == self.version


@dataclass(frozen=True, eq=False)
class BulkOperations:
    """The bulk handlers of one wire."""

    runtime: Runtime
    wire: CompiledWire

    def operations(self) -> Iterator[Operation]:
        """One for each single operation that the wire has."""
        rows = self.wire.model.spoken_plural
        for single, method, handler, status in (
            ("create", "POST", self.create, self.wire.create.status),
            ("update", "PATCH", self.update, 200),
            ("delete", "DELETE", self.delete, 200),
        ):
            if serves(self.wire, "bulk", single):  # type: ignore[arg-type]  # the three of them
                yield collection_operation(
                    self.runtime, self.wire, f"bulk_{single}", single, method, handler,  # type: ignore[arg-type]
                    summary=f"{single.capitalize()} many {rows}", status=status, body_limit=BODY_LIMIT,
                    doc="One transaction, all or nothing; the pointers of errors begin with the item's index.",
                )  # fmt: skip

    @property
    def _single(self) -> ResourceOperations:
        return ResourceOperations(self.runtime, self.wire)

    def create(self, request: Request) -> Answer:
        """POST: an array of what POST on the collection takes."""
        schemas = self.runtime.registry.schemas
        schema = schemas.create(self.wire)
        items = items_of(request.json())
        loaded = load_items(items, lambda item: schemas.load(schema, self.wire.renamed(item)))
        rows = []
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
            below = self._single.placed(ctx, request)
            for index, values in enumerate(loaded):
                with at_item(index, self.wire.pointer):
                    rows.append(writing.create(below, self.wire, values).row)
        return self._answered(rows, self.wire.create.status or 201)

    def update(self, request: Request) -> Answer:
        """PATCH: an array of objects with the key and what changes."""
        loaded = load_items(items_of(request.json()), self._addressed)
        self._require_versions(loaded)
        rows = []
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
            below = self._single.placed(ctx, request)
            for index, item in enumerate(loaded):
                with at_item(index, self.wire.pointer):
                    written = writing.update(below, self.wire, item.keys, item.values, match=item.match)
                    rows.append(written.row)
        return self._answered(rows, 200)

    def delete(self, request: Request) -> Answer:
        """DELETE: an array of keys, or of objects with the key and the version."""
        loaded = load_items(items_of(request.json()), self._deleted)
        self._require_versions(loaded)
        with self.runtime.writing(request.actor, request.id, self.wire.model.plugin) as ctx:
            below = self._single.placed(ctx, request)
            for index, item in enumerate(loaded):
                with at_item(index, self.wire.pointer):
                    writing.delete(below, self.wire, item.keys, match=item.match)
        return json_answer({"deleted": len(loaded)})

    def _answered(self, rows: list[dict[str, Any]], status: int) -> Answer:
        shape = self.wire.declared.list
        return json_answer(rows if shape.form == "array" else {shape.key or "items": rows}, status)

    # -- items --

    def _addressed(self, item: Any) -> Addressed:
        if not isinstance(item, dict):
            raise Invalid.at("", "type", "expected a JSON object")
        rest = dict(self.wire.renamed(item))
        errors: list[FieldError] = []
        keys = tuple(self._key(key, rest, errors) for key in self.wire.model.keys)
        version = self._version(rest, errors)
        values: Given = {}
        try:
            values = load_patch(self.runtime, self.wire, rest)
        except Invalid as error:
            errors += error.errors
        if errors:
            raise Invalid("the item is not valid", errors)
        return Addressed(keys, version, values)

    def _deleted(self, item: Any) -> Addressed:
        named = _named(self.wire, item)
        errors: list[FieldError] = []
        keys = tuple(self._key(key, named, errors) for key in self.wire.model.keys)
        version = self._version(named, errors)
        errors += [
            FieldError(f"/{name}", "unknown", "expected the key, and the version at most") for name in named
        ]
        if errors:
            raise Invalid("the item is not valid", errors)
        return Addressed(keys, version, {})

    def _key(self, key: Attribute, item: dict[str, Any], errors: list[FieldError]) -> Any:
        outer = self.wire.outer.get(key.name, key.name)
        value = _whole(item.pop(outer, None))
        if isinstance(value, bool) or not isinstance(value, str | int):
            errors.append(FieldError(f"/{outer}", "required", "expected the key of a row"))
            return None
        try:
            return key_value(self.runtime, key, str(value))
        except ValueError as error:
            errors.append(FieldError(f"/{outer}", "invalid", f"expected {error}"))
            return None

    def _version(self, item: dict[str, Any], errors: list[FieldError]) -> int | None:
        attribute = self.wire.model.version
        outer = self.wire.outer.get(attribute.name) if attribute is not None else None
        version = _whole(item.pop(outer, None)) if outer is not None else None
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            errors.append(FieldError(f"/{outer}", "invalid", "expected the version that was read"))
        return version

    def _require_versions(self, items: Sequence[Addressed]) -> None:
        if _requires_version(self.wire.model):
            for index, item in enumerate(items):
                if item.version is None:
                    with at_item(index):
                        raise _without_version()


def _whole(value: Any) -> Any:
    """5.0 as 5: to JSON both are the same whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _requires_version(model: Model) -> bool:
    versioned = model.declared.mixins.versioned
    return versioned is not None and versioned.required


def _without_version() -> HostError:
    return PreconditionRequired("every item has to name the version that was read")


def _named(wire: CompiledWire, item: Any) -> dict[str, Any]:
    """A key by itself, the parts of a natural key in order, or an object, as names and values."""
    if isinstance(item, dict):
        return dict(item)
    parts = item if isinstance(item, list) else [item]
    if len(parts) != len(wire.model.keys):
        raise Invalid.at("", "type", "expected the key of a row")
    return {
        wire.outer.get(key.name, key.name): part for key, part in zip(wire.model.keys, parts, strict=True)
    }
