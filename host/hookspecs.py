"""Every hook of the host, by phase: when it fires and what it returns. Plugins implement them in their `hooks.py`.

A plugin writes `from host import hookimpl` and a function of the same name; it takes the arguments it needs. The host's
own parts are registered first and plugins in dependency order; the last registered is asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from host.actor import Actor
    from host.compiler.registry import Registry
    from host.fields.kinds import FieldKind
    from host.settings import Settings
    from host.web.http import Request

PROJECT: Final = "hostwright"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# --- while booting ----------------------------------------------------------------------------------------------------


@hookspec
def register_field_types() -> Sequence[FieldKind]:  # type: ignore[empty-body]
    """Fires once, before declarations are read. Returns further field types, which YAML then uses by name."""


@hookspec
def startup(registry: Registry, settings: Settings) -> None:
    """Fires once, after everything is compiled and before the first request. Nothing can be registered any more."""


# --- for each request -------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
def authenticate(request: Request) -> Actor | None:
    """Fires for each request, before its input is read. Returns who asks, or None for somebody else to tell.

    The first answer counts; without any the actor is anonymous. Raise `Unauthenticated` for a credential that is
    meant for you and does not count.
    """


# --- while serving ----------------------------------------------------------------------------------------------------


@hookspec
def health_checks() -> Mapping[str, Callable[[], None]]:  # type: ignore[empty-body]
    """Fires when `/health/ready` is asked. Returns checks by name; one that raises makes the answer 503."""
