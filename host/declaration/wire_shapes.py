"""Named wires and `like`: a wire is completed by the one it is like, and checked as far as that needs no resource.

What is written is known from the places of the keys, so that a default written on purpose wins too. The linker completes
the named wires first, `wires` and `operations` then complete what is like them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from host.declaration.embeds import embedded_relation
from host.declaration.identities import check_credential
from host.declaration.keys import attributes
from host.declaration.nodes import Endpoint, Idempotency, Resource, Wire
from host.declaration.problems import Place, did_you_mean
from host.declaration.schedules import is_zone
from host.declaration.workspace import Workspace, owner_of, short

_KEYS: Final = tuple(it.name for it in fields(Wire) if "doc" in it.metadata)
_MERGED: Final = ("names", "parameters", "also", "through", "embed", "constants", "units", "files")
_OF_ENDPOINTS: Final = ("unknown", "errors", "credential")


def link_shapes(workspace: Workspace) -> None:
    """Complete every named wire by those that it is like."""
    for name, wire in list(workspace.wires.items()):
        check_shape(workspace, wire, f"wires.{short(name)}")
        _link_shape(workspace, name)


def completed(ws: Workspace, resource: Resource, wire: Wire, plugin: str, path: str) -> Wire:
    """A resource's wire with what it takes from the one it is like, as far as the resource has the fields."""
    name = _like(ws, wire, plugin, path)
    if name is None:
        return replace(wire, like=None)
    return _merged(wire, _applying(ws.wires[name], attributes(resource)))


def completed_endpoint(ws: Workspace, endpoint: Endpoint, plugin: str, path: str) -> Endpoint:
    """An endpoint with what it takes from the wire it is like."""
    name = _like(ws, endpoint, plugin, path)
    taken = {
        key: getattr(ws.wires[name], key) for key in _OF_ENDPOINTS if name and key not in endpoint.place.keys
    }
    return replace(endpoint, like=None, **taken)


def check_shape(ws: Workspace, wire: Wire, path: str) -> None:
    """Note what is wrong with a wire as it is written, whatever the resource."""
    if wire.list.form == "array" and wire.list.key:
        place = wire.list.place.name("key")
        ws.problems.add("conflict", place, f"{path}.list", "a bare array has no `key`")
    if wire.page.unpaged is not None and not 1 <= wire.page.unpaged <= 10_000:
        ws.problems.add("page", wire.page.place.of("unpaged"), f"{path}.page", "`unpaged` is 1 to 10000")
    check_credential(ws, wire, path)
    _check_statuses(ws, wire, path)
    _check_zone(ws, wire, path)


def _link_shape(ws: Workspace, name: str) -> None:
    chain = {name: None}
    last = name
    while (like := _like(ws, ws.wires[last], owner_of(last), f"wires.{short(last)}")) is not None:
        if like in chain:
            names = list(chain)
            cycle = " → ".join((*names[names.index(like) :], like))
            place = ws.wires[last].place.of("like")
            path = f"wires.{short(last)}.like"
            ws.problems.add("wire_cycle", place, path, f"a wire cannot be like itself: {cycle}")
            break
        chain[like] = None
        last = like
    base = Wire()
    for one in reversed(chain):
        base = ws.wires[one] = _merged(ws.wires[one], base)


def _like(ws: Workspace, node: Wire | Endpoint, plugin: str, path: str) -> str | None:
    """The qualified name of the wire that one is like; None, with a problem noted, where there is none."""
    if not node.like:
        return None
    place, path = node.place.of("like"), f"{path}.like"
    name = node.like if "." in node.like else f"{plugin}.{node.like}"
    if name not in ws.wires:
        hint = did_you_mean(node.like, ws.names(ws.wires, plugin))
        ws.problems.add("unknown_wire", place, path, f'there is no named wire "{node.like}"{hint}')
        return None
    return name if ws.is_visible(name, plugin, place, path) else None


def _merged(wire: Wire, base: Wire) -> Wire:
    """Keys that the wire writes win, mappings are merged key by key, everything else is taken whole."""
    written = wire.place.keys
    taken: dict[str, Any] = {key: getattr(base, key) for key in _KEYS if key not in written}
    taken |= {key: {**getattr(base, key), **getattr(wire, key)} for key in _MERGED}
    return replace(wire, **{**taken, "like": None, "place": _places(wire.place, base.place)})


def _places(own: Place, base: Place) -> Place:
    """The places of what is merged, so that a problem is shown where it is written."""
    keys = {**base.keys, **own.keys}
    for key in _MERGED:
        if key in own.keys and key in base.keys:
            keys[key] = _joined(own.keys[key], base.keys[key], {**base.keys[key].keys, **own.keys[key].keys})
    return _joined(own, base, keys)


def _joined(own: Place, base: Place, keys: Mapping[str, Place]) -> Place:
    return replace(own, keys=keys, names={**base.names, **own.names})


def _applying(wire: Wire, known: Collection[str]) -> Wire:
    """A wire without what it says of fields that a resource does not have."""

    def is_known(reference: str) -> bool:
        return reference.partition(".")[0] in known

    return replace(
        wire,
        names={key: it for key, it in wire.names.items() if key in known},
        parameters={key: it for key, it in wire.parameters.items() if it.field is None or is_known(it.field)},
        also={key: it for key, it in wire.also.items() if it in known},
        through={key: it for key, it in wire.through.items() if is_known(it)},
        embed={key: it for key, it in wire.embed.items() if embedded_relation(key, it) in known},
        hide=tuple(it for it in wire.hide if it in known),
        units={key: it for key, it in wire.units.items() if key in known},
        files={key: it for key, it in wire.files.items() if key in known},
    )


def check_idempotency(ws: Workspace, node: Idempotency, path: str, *, takes_key: bool) -> None:
    """Whether an operation takes the key at all, and what it answers a repeat with is a success."""
    if node != Idempotency() and not takes_key:
        message = "an Idempotency-Key counts with create, and with actions and endpoints that are no GET"
        ws.problems.add("out_of_place", node.place, f"{path}.idempotency", message)
    if node.repeat is not None and not 200 <= node.repeat <= 299:
        place = node.place.of("repeat")
        ws.problems.add("status", place, f"{path}.idempotency.repeat", "success is 200 to 299")


def _check_statuses(ws: Workspace, wire: Wire, path: str) -> None:
    for key in ("create", "update", "delete"):
        operation = getattr(wire, key)
        check_idempotency(ws, operation.idempotency, f"{path}.{key}", takes_key=key == "create")
        if operation.status is not None and not 200 <= operation.status <= 299:
            ws.problems.add("status", operation.place.of("status"), f"{path}.{key}", "success is 200 to 299")
    for key, status in wire.errors.status.items():
        if not 400 <= status <= 599:
            place = wire.errors.place.of("status", key)
            ws.problems.add("status", place, f"{path}.errors.status.{key}", "an error is 400 to 599")


def _check_zone(ws: Workspace, wire: Wire, path: str) -> None:
    zone = wire.values.naive
    if zone is not None and zone != "UTC" and not is_zone(zone):
        message = f'unknown time zone "{zone}"; write it as Europe/Berlin'
        ws.problems.add("zone", wire.values.place.of("naive"), f"{path}.values", message)
