"""Every path and method of a declaration, and who claims it. The router, the document and `hostwright routes` use it.

A wire serves, below its path `P` and its item `P/{key}`:
list `GET P`, create `POST P`, get `GET P/{key}`, update `PATCH` and `PUT P/{key}`, delete `DELETE P/{key}`,
bulk `POST PATCH DELETE P/bulk`, export `GET P/export`, import `POST P/import`, and its actions. A relative path of an
action lies below `P` (collection, or with the key in braces) or below `P/{key}` (item, where the wire's `item` says another
path, below that). An absolute one is served once, by the first wire that has the action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from host.declaration.files import file_fields, file_routes
from host.declaration.keys import key_fields
from host.declaration.logs import sync_routes
from host.declaration.nodes import Action, Endpoint, Resource, Wire
from host.declaration.operations import parameters
from host.declaration.parents import row_parameters, served
from host.declaration.problems import Place, Problems
from host.declaration.workspace import HOST, owner_of, short

OWN: Final = (
    "/api/auth", "/api/host", "/health", "/api/version", "/openapi.json", "/docs", "/metrics", "/admin",
)  # fmt: skip
# Of these, what a plugin that is served alone cannot take either.
KEPT: Final = tuple(path for path in OWN if path not in ("/api/auth", "/health", "/api/version"))
BULK: Final = (("POST", "create"), ("PATCH", "update"), ("DELETE", "delete"))


@dataclass(frozen=True, slots=True)
class Places:
    """Where a wire is served: the paths of its collection and those of a row, the wire's own first."""

    collections: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One path and method. `name` is the resource's or endpoint's, qualified; `wire` is None for an endpoint."""

    method: str
    path: str
    name: str
    operation: str  # list, get, …, import, an action's name, `<field>.upload` and the like, or `call`
    wire: str | None
    place: Place

    @property
    def label(self) -> str:
        """The operation as people name it: `freelance.invoice.send`."""
        wire = f" ({self.wire})" if self.wire not in (None, "main") else ""
        return (self.name if self.operation == "call" else f"{self.name}.{self.operation}") + wire


def routes(resources: Mapping[str, Resource], endpoints: Mapping[str, Endpoint]) -> Iterator[Route]:
    """All routes of linked resources and endpoints, in the order of declaration."""
    for name, resource in resources.items():
        told: set[str] = set()
        for key, wire in resource.wires.items():
            yield from _wire_routes(name, resource, key, wire, told)
            told.update(wire.operations or ())
        if resource.sync is not None:
            base = places(resource, next(iter(resource.wires.values()))).collections[0]
            for kind, method, path in sync_routes(resource, base):
                yield Route(method, path, name, kind, None, resource.sync.place)
    for name, endpoint in endpoints.items():
        yield Route(endpoint.method, endpoint.path, name, "call", None, endpoint.place.of("path"))


def places(resource: Resource, wire: Wire) -> Places:
    """Where a linked wire is served."""
    collections = tuple(served(path) for path in (wire.path or "", *wire.paths))
    keys = "/".join(f"{{{name}}}" for name in row_parameters(resource, wire))
    items = (served(wire.item),) if wire.item else tuple(below(base, keys) for base in collections)
    return Places(collections, items)


def below(base: str, tail: str) -> str:
    """A path below another; below one that ends with a slash it ends with a slash too."""
    return f"{base.rstrip('/')}/{tail}" + ("/" if base.endswith("/") and not tail.endswith("/") else "")


def action_paths(place: Places, resource: Resource, action: Action) -> tuple[str, ...]:
    """The paths of an action on one wire; the first is its own."""
    tail = served(action.path or "")
    if tail.startswith("/"):
        return (tail,)
    has_key = set(key_fields(resource)) <= set(parameters(tail))
    bases = place.items if action.target == "item" and not has_key else place.collections
    return tuple(below(base, tail) for base in bases)


def _wire_routes(name: str, resource: Resource, key: str, wire: Wire, told: set[str]) -> Iterator[Route]:
    place = wire.place.of("path") if wire.path and "path" in wire.place.keys else resource.place.of("path")
    where = places(resource, wire)
    for operation in wire.operations or ():
        action = resource.actions.get(operation)
        at = action.place.of("path") if action is not None else place
        if action is None:
            pairs = [
                (method, path) for path in _paths(where, operation) for method in _methods(wire, operation)
            ]
        elif str(action.path).startswith("/") and operation in told:
            pairs = []
        else:
            pairs = [(action.method, path) for path in action_paths(where, resource, action)]
        for method, path in pairs:
            yield from _both(wire, Route(method, path, name, operation, key, at))
    for field in file_fields(resource, wire):
        for operation, method, tail in file_routes(resource, wire, field):
            for item in where.items:
                yield from _both(
                    wire, Route(method, below(item, tail), name, f"{field}.{operation}", key, place)
                )


def _both(wire: Wire, route: Route) -> Iterator[Route]:
    """The route, and where the wire wants it also the one with (or without) a slash at the end."""
    yield route
    if wire.slash == "both" and route.path != "/":
        path = route.path
        yield replace(route, path=path.removesuffix("/") if path.endswith("/") else f"{path}/")


def _paths(where: Places, operation: str) -> tuple[str, ...]:
    if operation in ("list", "create"):
        return where.collections
    if operation in ("bulk", "export", "import"):
        return tuple(below(base, operation) for base in where.collections)
    if operation == "history":
        return tuple(below(item, operation) for item in where.items)
    return where.items


def _methods(wire: Wire, operation: str) -> tuple[str, ...]:
    served_here = wire.operations or ()
    return {
        "list": ("GET",), "get": ("GET",), "history": ("GET",),
        "export": ("GET",) if "list" in served_here else (),
        "import": ("POST",) if "create" in served_here else (),
        "bulk": tuple(method for method, single in BULK if single in served_here),
        "create": wire.create.methods or ("POST",),
        "update": wire.update.methods or ("PATCH", "PUT"),
        "delete": wire.delete.methods or ("DELETE",),
    }[operation]  # fmt: skip


def check_paths(
    resources: Mapping[str, Resource],
    endpoints: Mapping[str, Endpoint],
    problems: Problems,
    needs: Mapping[str, frozenset[str]],
) -> None:
    """Note paths that belong to the host, and those that two operations claim.

    What a plugin serves alone meets nothing but its own and what the plugins that it `needs` serve, and it may take the
    host's shared paths.
    """
    alone = {name for name, endpoint in endpoints.items() if endpoint.alone}
    found = list(routes(resources, endpoints))
    together = [route for route in found if route.name not in alone]
    _check_claims(together, OWN, problems)
    for plugin in {owner_of(name): None for name in alone}:
        served = [
            it for it in together if owner_of(it.name) in (needs.get(plugin, frozenset()) | {plugin}) - {HOST}
        ]
        own = [route for route in found if route.name in alone and owner_of(route.name) == plugin]
        _check_claims(own, KEPT, problems, served)


def _check_claims(
    found: Sequence[Route], reserved: Sequence[str], problems: Problems, before: Sequence[Route] = ()
) -> None:  # fmt: skip
    claimed = {(route.method, _shape(route.path)): route for route in before}
    for route in found:
        path = (
            f"{short(route.name)}.{route.operation}"
            if route.operation != "call"
            else f"endpoints.{short(route.name)}"
        )
        own = next((it for it in reserved if route.path == it or route.path.startswith(f"{it}/")), None)
        if own and owner_of(route.name) != HOST:
            problems.add(
                "path_reserved", route.place, path, f"paths under {own} belong to the host: {route.path}"
            )
            continue
        first = claimed.setdefault((route.method, _shape(route.path)), route)
        if first is not route and (first.name, first.operation, first.wire) != (
            route.name,
            route.operation,
            route.wire,
        ):
            message = f"{route.method} {route.path} is claimed by {first.label} already ({first.place})"
            problems.add("path_claimed", route.place, path, message)


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
