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
from host.compiler.models import Attribute
from host.compiler.parents import parents_in
from host.compiler.readers import Made, Output, Sign
from host.declaration.expressions import Column
from host.declaration.files import file_routes
from host.declaration.nodes import Field, Wire
from host.declaration.paths import below, places
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


def file_output(wire: CompiledWire, attribute: Attribute, scope: Scope) -> Output:
    """The output of a file field, as the wire's `values.file` wants it."""
    key, path = wire.outer[attribute.name], scope.column(attribute.name)
    address = address_of(wire, attribute.name, scope)
    if wire.form.file == "path" or address is None:
        return Output(key, attribute.field, path)
    own = tuple((scope.column(it.name), it.field) for it in scope.model.keys) if scope.model else ()
    known: tuple[Value, ...] = ((_metadata(scope, path), None),) if wire.form.file == "object" else ()
    values: tuple[Value, ...] = ((path, None), *known, *address.values, *own)
    name = f"{wire.model.name}.{attribute.name}" if attribute.field.links == "signed" else ""
    maker = _Maker(name, address, len(own), has_metadata=bool(known))
    return Output(key, attribute.field, path, made=Made(values, maker.function))


def address_of(wire: CompiledWire, name: str, scope: Scope) -> Address | None:
    """Where a wire, or else the first one of the resource that does, serves a file; None where it is not served."""
    resource = wire.model.declared
    for node in (wire.declared, *resource.wires.values()):
        tails = [tail for operation, _, tail in file_routes(resource, node, name) if operation == "download"]
        if tails:
            item = below(places(resource, node).items[0], tails[0])
            return _address(item, node, wire, scope)
    return None


def _address(item: str, node: Wire, wire: CompiledWire, scope: Scope) -> Address:
    assert scope.model is not None  # files belong to rows
    path = node.path or wire.model.declared.path or ""
    parents = {it.parameter: it for it in parents_in(path, wire.model, scope.models)}
    pieces, *rest = _PARAMETER.split(item)
    texts, values = [pieces], []
    for name, piece in zip(rest[::2], rest[1::2], strict=True):
        parent = parents.get(name)
        steps = parent.steps if parent is not None else (name,)
        attribute = terminal(steps, scope)
        assert attribute is not None  # the linker checked the path
        values.append((to_sql(Column(steps), scope), attribute.field))
        texts.append(piece)
    quoted = tuple(field is None or field.type not in _PLAIN for _, field in values)
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
            text += f"?v={crc32(path.encode()):08x}"
            return (
                text
                if not name or sign is None
                else f"{text}&{sign(name, values[count:], path, time.time())}"
            )

        return url


def described(path: str, metadata: str | None) -> dict[str, Any]:
    """Name, size and type of a file, out of what the host knows or else out of its path."""
    if metadata is None:
        name = path.rpartition("/")[2]
        return {"name": name, "size": None, "type": by_name(name)}
    size, media, name = metadata.split(" ", 2)
    return {"name": name, "size": int(size), "type": media}
