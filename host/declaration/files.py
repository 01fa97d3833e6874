"""File fields: sizes, media types, folders and variants, and the fields that mirror what a file is.

`stored` and `resources` call it while a resource is linked, `wires` for the operations of each wire. Sizes become bytes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from host.declaration.nodes import Field, FieldRef, Name, Resource, Variant, Wire, WireFile
from host.declaration.problems import Place, did_you_mean
from host.declaration.workspace import Workspace, owner_of, short

MIRRORED: Final = {"name": "string", "size": "integer", "type": "string", "digest": "string"}
LARGEST: Final = {"file": 25 << 20, "image": 10 << 20}  # bytes, when `max` is not declared
MOST_SIDE: Final = 4096
_UNITS: Final = {"": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_SIZE: Final = re.compile(r"([0-9]{1,15}) ?(KB|MB|GB|TB|)")
_MEDIA: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/(\*|[a-z0-9!#$&^_.+-]{1,100})")
_FOLDER: Final = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")
_LONGEST_FOLDER: Final = 50  # so that the whole path fits into a column of 100 characters
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


def is_file(ws: Workspace, field: Field) -> bool:
    """Whether a linked field holds a file."""
    words = ws.vocabulary.types.get(field.type)
    return words is not None and words.file


def completed_file(ws: Workspace, field: Field, resource: str, path: str) -> Field:
    """A file field with its size in bytes and its folder decided."""
    largest = field.max if field.max is not None else LARGEST.get(field.type, LARGEST["file"])
    size = size_of(largest)
    if size is None:
        place = field.place.of("max")
        ws.problems.add("value", place, path, f"`max` {largest!r} is not a size: write bytes, or 10MB")
    _check_types(ws, field, path)
    folder = field.folder or f"{owner_of(resource)}/{short(resource)}"
    if _FOLDER.fullmatch(folder) is None or (field.folder and len(folder) > _LONGEST_FOLDER):
        message = f'"{folder}" is not a folder: small letters, digits, _ and -, at most {_LONGEST_FOLDER}'
        ws.problems.add("bad_form", field.place.of("folder"), path, message)
    for name, variant in field.variants.items():
        _check_variant(ws, variant, f"{path}.variants.{name}")
    for key in ("default", "unique", "min", "transient", "computed", "rollup", "counter"):
        if getattr(field, key):
            ws.problems.add("constraint", field.place.name(key), path, f"`{key}` has no meaning for a file")
    return replace(field, max=size, folder=folder[:_LONGEST_FOLDER].rstrip("/"))


def size_of(value: Any) -> int | None:
    """Bytes of `10MB` or of a number; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value > 0 else None
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * _UNITS[match[2]] or None if match else None


def _check_types(ws: Workspace, field: Field, path: str) -> None:
    for at, media in enumerate(field.types):
        if _MEDIA.fullmatch(media) is None:
            message = f'"{media}" is not a media type, such as application/pdf or image/*'
            ws.problems.add("bad_form", field.place.of("types", at), path, message)


def _check_variant(ws: Workspace, variant: Variant, path: str) -> None:
    for key in ("width", "height"):
        if not 1 <= getattr(variant, key) <= MOST_SIDE:
            ws.problems.add("range", variant.place.of(key), path, f"`{key}` is 1 to {MOST_SIDE}")
    if not 1 <= variant.quality <= 95:
        ws.problems.add("range", variant.place.of("quality"), path, "`quality` is 1 to 95")


def check_mirrors(ws: Workspace, resource: Resource, bare: str) -> None:
    """Every `mirror` names something of a file field, and has a type that holds it."""
    for name, field in resource.fields.items():
        if field.mirror is not None:
            _check_mirror(ws, resource, field, f"{bare}.fields.{name}")


def _check_mirror(ws: Workspace, resource: Resource, field: Field, path: str) -> None:
    source, _, what = (field.mirror or "").partition(".")
    place = field.place.of("mirror")
    of = resource.fields.get(Name(source))
    if of is None or not is_file(ws, of):
        files = [name for name, it in resource.fields.items() if is_file(ws, it)]
        message = f'"{source}" is not a file field of this resource{did_you_mean(source, files)}'
        ws.problems.add("unknown_field", place, path, message)
    elif what not in MIRRORED:
        ws.problems.add("value", place, path, f"a file has {', '.join(MIRRORED)}: write {source}.name")
    elif field.type not in (MIRRORED[what], "text" if MIRRORED[what] == "string" else ""):
        ws.problems.add("value", place, path, f"`{what}` is of the type {MIRRORED[what]}, not {field.type}")
    elif field.required or field.default is not None or field.counter or field.computed or field.transient:
        ws.problems.add("conflict", place, path, "a mirrored value is null until there is a file")


def check_wire_files(ws: Workspace, resource: Resource, wire: Wire, path: str) -> None:
    """The fields that a wire names under `files` hold files, and their operations can be."""
    files = [name for name, it in resource.fields.items() if is_file(ws, it)]
    for name, node in wire.files.items():
        place, here = wire.place.of("files").name(name), f"{path}.files.{name}"
        if name not in files:
            message = f'"{name}" is not a file field{did_you_mean(name, files)}'
            ws.problems.add("unknown_field", place, f"{path}.files", message)
        elif name in wire.hide:
            ws.problems.add("conflict", place, here, f'this wire hides "{name}"')
        else:
            _check_wire_file(ws, node, here)


def _check_wire_file(ws: Workspace, node: WireFile, path: str) -> None:
    if node.path is not None and _SEGMENT.fullmatch(node.path) is None:
        ws.problems.add("bad_form", node.place.of("path"), path, "`path` is one plain segment")
    statuses: tuple[tuple[str, int | None, Place], ...] = (
        ("upload", node.upload.status, node.upload.place.of("status")),
        ("clear", node.clear.status, node.clear.place.of("status")),
    )
    for key, status, place in statuses:
        if status is not None and not 200 <= status <= 299:
            ws.problems.add("status", place, f"{path}.{key}", "success is 200 to 299")


FILE_OPERATIONS: Final = ("download", "upload", "clear", "link")


def file_routes(resource: Resource, wire: Wire, name: str) -> list[tuple[str, str, str]]:
    """Operation, method and path below the row of what a wire serves for one file field."""
    node = wire.files.get(FieldRef(name)) or WireFile()
    field = resource.fields[Name(name)]
    segment = node.path or (wire.names[name].name if name in wire.names else name)
    wanted = node.operations or _allowed(wire, field)
    found: list[tuple[str, str, str]] = []
    if "download" in wanted:
        found.append(("download", "GET", segment))
    if "link" in wanted:
        found.append(("link", "GET", f"{segment}/link"))
    if "upload" in wanted:
        found += [("upload", method, segment) for method in node.upload.methods]
    if "clear" in wanted:
        found.append(("clear", "DELETE", segment))
    return found


def _allowed(wire: Wire, field: Field) -> tuple[str, ...]:
    """What the wire's operations for rows stand for: whoever may read rows may read their files."""
    served = wire.operations or ()
    reads = ("download", "link") if {"get", "list"} & set(served) else ()
    is_fixed = field.set is not None or "update" not in served
    writes: tuple[str, ...] = () if is_fixed else ("upload",) if field.required else ("upload", "clear")
    return (*reads, *writes)


def file_fields(resource: Resource, wire: Wire) -> list[str]:
    """The file fields that a wire shows."""
    return [
        name
        for name, it in resource.fields.items()
        if it.folder is not None and name not in wire.hide and not it.secret
    ]
