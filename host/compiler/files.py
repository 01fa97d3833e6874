"""File fields in answers: the address below the row's path, and what the host knows of the file, in the row's own query.

A row's column holds the path in the storage. Files that another system put there have no entry in `host.file` yet; they
are shown with what their path tells.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from zlib import crc32

import sqlalchemy as sa

from host.compiler.expressions import Scope, terminal, to_sql
from host.compiler.models import Attribute, Model
from host.compiler.parents import parents_in
from host.compiler.readers import Made, Output, Sign
from host.declaration.expressions import Column
from host.declaration.files import file_routes
from host.declaration.nodes import Field, Wire
from host.declaration.parents import Steps
from host.declaration.paths import below, places
from host.fields.forms import Form
from host.fields.media import by_name

if TYPE_CHECKING:
    from host.compiler.wires import CompiledWire

FILE: Final = "host.file"
_PARAMETER: Final = re.compile(r"\{([^}]*)\}")
_PLAIN: Final = ("uuid", "integer")  # keys that need no quoting
Value = tuple[Any, Field | None]


@dataclass(frozen=True)
class Address:
    """Where a file is downloaded: the pieces of the path, with the row's values between them."""

    pieces: tuple[str, ...]
    values: tuple[Value, ...]
    quoted: tuple[bool, ...]


@dataclass(frozen=True)
class _Place:
    """Where a file field is met: `steps` lead from the row of the scope to the one that has it."""

    model: Model
    field: Attribute
    nodes: tuple[Wire, ...]  # which may serve it, the nearest first
    scope: Scope
    steps: Steps = ()

    def column(self, *path: str) -> Any:
        """The SQL of a value of the row that has the file."""
        return to_sql(Column((*self.steps, *path)), self.scope)


def file_output(wire: CompiledWire, attribute: Attribute, scope: Scope) -> Output:
    """The output of a file field of the row, as the wire's `values.file` wants it."""
    nodes = (wire.declared, *wire.model.declared.wires.values())
    return _output(wire.outer[attribute.name], _Place(wire.model, attribute, nodes, scope), wire.form)


def file_through(key: str, path: Steps, attribute: Attribute, scope: Scope, form: Form) -> Output:
    """The output of a file field of a related row."""
    model = scope.model
    for step in path[:-1]:
        relation = model.attributes[step].relation if model is not None else None
        model = scope.models[relation.to] if relation is not None else None
    assert model is not None  # the linker resolved the path
    nodes = tuple(model.declared.wires.values())
    return _output(key, _Place(model, attribute, nodes, scope, path[:-1]), form)


def _output(key: str, place: _Place, form: Form) -> Output:
    path, address = place.column(place.field.name), _served(place)
    if form.file == "path" or address is None:
        return Output(key, place.field.field, path)
    own = tuple((place.column(it.name), it.field) for it in place.model.keys)
    known: tuple[Value, ...] = ((_metadata(place.scope, path), None),) if form.file == "object" else ()
    values: tuple[Value, ...] = ((path, None), *known, *address.values, *own)
    name = f"{place.model.name}.{place.field.name}" if place.field.field.links == "signed" else ""
    maker = _Maker(name, address, len(own), has_metadata=bool(known))
    return Output(key, place.field.field, path, made=Made(values, maker.function))


def _served(place: _Place) -> Address | None:
    """Where the file is downloaded; None where no wire serves it."""
    resource = place.model.declared
    for node in place.nodes:
        tails = [
            tail
            for operation, _, tail in file_routes(resource, node, place.field.name)
            if operation == "download"
        ]
        if tails:
            return _address(below(places(resource, node).items[0], tails[0]), node, place)
    return None


def _address(item: str, node: Wire, place: _Place) -> Address:
    path = node.path or place.model.declared.path or ""
    parents = {it.parameter: it.steps for it in parents_in(path, place.model, place.scope.models)}
    first, *rest = _PARAMETER.split(item)
    texts, values = [first], []
    for name, piece in zip(rest[::2], rest[1::2], strict=True):
        steps = parents.get(name, (name,))
        attribute = terminal((*place.steps, *steps), place.scope)
        assert attribute is not None  # the linker checked the path
        values.append((place.column(*steps), attribute.field))
        texts.append(piece)
    quoted = tuple(field.type not in _PLAIN for _, field in values)
    return Address(tuple(texts), tuple(values), quoted)


def _metadata(scope: Scope, path: Any) -> Any:
    """`size type name` of the file as one text, so that it costs one look-up."""
    table = scope.models[FILE].table.alias()
    text = sa.cast(table.c.size, sa.String) + " " + table.c.type + " " + table.c.name
    return sa.select(text).where(table.c.path == path).correlate_except(table).scalar_subquery()


@dataclass(frozen=True)
class _Maker:
    """Makes the function that a reader calls for each row; `name` is empty where addresses are not signed."""

    name: str
    address: Address
    keys: int
    has_metadata: bool

    def function(self, sign: Sign | None) -> Callable[..., Any]:
        """From the path, the metadata (where it is wanted), the address's values and the row's key to the value."""
        url = self._url(sign)
        if not self.has_metadata:
            return lambda path, *values: url(path, values) if path else None

        def show(path: str | None, metadata: str | None, *values: Any) -> Mapping[str, Any] | None:
            return {"url": url(path, values), **described(path, metadata)} if path else None

        return show

    def _url(self, sign: Sign | None) -> Callable[[str, Sequence[Any]], str]:
        first, *rest = self.address.pieces
        steps, count, name = tuple(zip(rest, self.address.quoted, strict=True)), len(rest), self.name

        def url(path: str, values: Sequence[Any]) -> str:
            text = first
            for value, (piece, is_quoted) in zip(values, steps, strict=False):
                text += (quote(str(value), safe="") if is_quoted else str(value)) + piece
            text += f"?v={version(path)}"
            return (
                text
                if not name or sign is None
                else f"{text}&{sign(name, values[count:], path, time.time())}"
            )

        return url


def version(path: str) -> str:
    """What tells one file at an address from the next, for copies that browsers keep."""
    return f"{crc32(path.encode()):08x}"


def described(path: str, metadata: str | None) -> dict[str, Any]:
    """Name, size and type of a file, out of what the host knows or else out of its path."""
    if metadata is None:
        name = path.rpartition("/")[2]
        return {"name": name, "size": None, "type": by_name(name)}
    size, media, name = metadata.split(" ", 2)
    return {"name": name, "size": int(size), "type": media}
