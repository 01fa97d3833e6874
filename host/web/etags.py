"""Strong ETags: from the row's version where it counts them, else from its content; and what the conditional headers mean."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import orjson

from host.compiler.wires import CompiledWire
from host.errors import PreconditionRequired
from host.service.context import Context
from host.service.plans import Found
from host.service.reading import Shown
from host.service.writing import Match
from host.web.http import JSON_OPTIONS, Request

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(wire: CompiledWire, shown: Shown, body: bytes, *, is_chosen: bool = False) -> str:
    """The tag of a shown row: its version, with a digest of the content where that can change without the row."""
    if shown.version is not None and not is_chosen and not wire.derives:
        return f'"{shown.version}"'
    digest = blake2b(body, digest_size=8).hexdigest()
    return f'"{shown.version}-{digest}"' if shown.version is not None else f'"{digest}"'


def is_unchanged(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, so that 304 is enough."""
    given = request.header("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag.strip('"') in _TAG.findall(given)


def match_of(request: Request, ctx: Context, wire: CompiledWire, keys: tuple[Any, ...]) -> Match | None:
    """The comparison that `If-Match` asks for, made on the locked row. PreconditionRequired where it must be given."""
    given = request.header("if-match")
    versioned = wire.model.declared.mixins.versioned
    if given is None:
        if versioned is not None and versioned.required:
            raise PreconditionRequired("send If-Match with the ETag that you read")
        return None
    if given.strip() == "*":
        return None
    tags = _TAG.findall(given)
    if versioned is not None:
        versions = {tag.partition("-")[0] for tag in tags}
        return lambda found: str(found.version) in versions
    return lambda found: _content_tag(ctx, wire, keys, found) in tags


def _content_tag(ctx: Context, wire: CompiledWire, keys: tuple[Any, ...], found: Found) -> str:
    shown = ctx.runtime.plans.checked(wire, ctx.facts, ()).fetch(ctx.transaction.driver, keys, ctx.values)
    body = orjson.dumps(shown.row(), option=JSON_OPTIONS) if shown is not None else b""
    return blake2b(body, digest_size=8).hexdigest()
