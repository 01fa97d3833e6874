"""The public face of Hostwright: the only names that a plugin imports. Loads no Flask, and each name when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from host.actor import ANONYMOUS, SYSTEM, Actor
    from host.errors import (
        BadRequest,
        Conflict,
        Duplicate,
        FieldError,
        Forbidden,
        Invalid,
        NotFound,
        Unauthenticated,
        Unavailable,
        UpstreamError,
    )
    from host.events.event import Event
    from host.fields.kinds import FieldKind
    from host.hookspecs import hookimpl
    from host.service.context import Context
    from host.service.streams import Stream
    from host.service.writing import Change

_HOME = {
    "ANONYMOUS": "host.actor",
    "SYSTEM": "host.actor",
    "Actor": "host.actor",
    "BadRequest": "host.errors",
    "Change": "host.service.writing",
    "Conflict": "host.errors",
    "Context": "host.service.context",
    "Duplicate": "host.errors",
    "Event": "host.events.event",
    "FieldError": "host.errors",
    "FieldKind": "host.fields.kinds",
    "Forbidden": "host.errors",
    "Invalid": "host.errors",
    "NotFound": "host.errors",
    "Stream": "host.service.streams",
    "Unauthenticated": "host.errors",
    "Unavailable": "host.errors",
    "UpstreamError": "host.errors",
    "hookimpl": "host.hookspecs",
}

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Actor",
    "BadRequest",
    "Change",
    "Conflict",
    "Context",
    "Duplicate",
    "Event",
    "FieldError",
    "FieldKind",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Stream",
    "Unauthenticated",
    "Unavailable",
    "UpstreamError",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'host' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
