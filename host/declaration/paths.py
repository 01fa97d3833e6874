"""Every path and method of a declaration, and who claims it. The router, the document and `hostwright routes` use it.

A wire serves, below its path `P` and its item `P/{key}`:
list `GET P`, create `POST P`, get `GET P/{key}`, update `PATCH` and `PUT P/{key}`, delete `DELETE P/{key}`,
bulk `POST PATCH DELETE P/bulk`, export `GET P/export`, import `POST P/import`, and its actions. A relative path of an
action lies below `P` (collection, or with the key in braces) or below `P/{key}` (item). An absolute one is served once, by
the first wire that has the action.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from host.declaration.keys import key_fields
from host.declaration.nodes import Action, Endpoint, Resource, Wire
from host.declaration.operations import parameters
from host.declaration.problems import Place, Problems
from host.declaration.workspace import HOST, owner_of, short

OWN: Final = (
    "/api/auth", "/api/host", "/health", "/api/version", "/openapi.json", "/docs", "/metrics", "/admin",
)  # fmt: skip


BULK: Final = (("POST", "create"), ("PATCH", "update"), ("DELETE", "delete"))


@dataclass(frozen=True, slots=True)
class Route:
    """One path and method. `name` is the resource's or endpoint's, qualified; `wire` is None for an endpoint."""

    method: str
    path: str
    name: str
    operation: str  # list, get, create, update, delete, bulk, export, import, an action's name, or `call`
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
        served: set[str] = set()
        for key, wire in resource.wires.items():
            yield from _wire_routes(name, resource, key, wire, served)
            served.update(wire.operations or ())
    for name, endpoint in endpoints.items():
        yield Route(endpoint.method, endpoint.path, name, "call", None, endpoint.place.of("path"))


def _wire_routes(name: str, resource: Resource, key: str, wire: Wire, served: set[str]) -> Iterator[Route]:
    bases = [wire.path or "", *wire.paths]
    place = wire.place.of("path") if wire.path and "path" in wire.place.keys else resource.place.of("path")
    for operation in wire.operations or ():
        action = resource.actions.get(operation)
        if action is not None and (action.path or "").startswith("/"):
            pairs: list[tuple[str, str]] = [] if operation in served else [(action.method, str(action.path))]
            at = action.place.of("path")
        else:
            pairs = [
                pair
                for base in bases
                for pair in _below(base.rstrip("/") or base, resource, wire, operation, action)
            ]
            at = action.place.of("path") if action else place
        for method, path in pairs:
            yield Route(method, path, name, operation, key, at)
            if wire.slash == "both" and path != "/":
                other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
                yield Route(method, other, name, operation, key, at)


def _below(
    base: str, resource: Resource, wire: Wire, operation: str, action: Action | None
) -> list[tuple[str, str]]:
    item = f"{base}/{'/'.join(f'{{{key}}}' for key in key_fields(resource))}"
    if action is not None:
        has_key = set(key_fields(resource)) <= set(parameters(action.path or ""))
        below = item if action.target == "item" and not has_key else base
        return [(action.method, f"{below}/{action.path}")]
    served = wire.operations or ()
    methods = {
        "list": ("GET",), "get": ("GET",),
        "export": ("GET",) if "list" in served else (),
        "import": ("POST",) if "create" in served else (),
        "bulk": tuple(method for method, single in BULK if single in served),
        "create": wire.create.methods or ("POST",),
        "update": wire.update.methods or ("PATCH", "PUT"),
        "delete": wire.delete.methods or ("DELETE",),
    }[operation]  # fmt: skip
    path = {
        "list": base,
        "create": base,
        "bulk": f"{base}/bulk",
        "export": f"{base}/export",
        "import": f"{base}/import",
    }
    return [(method, path.get(operation, item)) for method in methods]


def check_paths(
    resources: Mapping[str, Resource], endpoints: Mapping[str, Endpoint], problems: Problems
) -> None:
    """Note paths that belong to the host, and those that two operations claim."""
    claimed: dict[tuple[str, str], Route] = {}
    for route in routes(resources, endpoints):
        path = (
            f"{short(route.name)}.{route.operation}"
            if route.operation != "call"
            else f"endpoints.{short(route.name)}"
        )
        own = next((it for it in OWN if route.path == it or route.path.startswith(f"{it}/")), None)
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
