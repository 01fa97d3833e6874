"""Files of rows: what is stored becomes part of a row in the row's own transaction, and goes with it.

`writing` calls `attach` and `release`; the web layer stores the bytes before and asks for what is known of a file.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.compiler.files import FILE
from host.compiler.models import Model
from host.errors import InsufficientStorage
from host.fields.files import Uploaded, plain_name
from host.fields.media import HEAD, Forged, media_type, sniffed
from host.service.signatures import Signatures
from host.settings import StorageSettings
from host.storage import Storage
from host.storage.paths import is_own

if TYPE_CHECKING:
    from host.service.context import Context
    from host.service.runtime import Runtime

Values = dict[str, Any]
HOST: Final = "host"
MOST_MADE: Final = 2  # pictures that one process makes smaller at a time
VARIANT: Final = "~"  # between the path of an image and the name of a smaller one
log = logging.getLogger("hostwright")


@dataclass(frozen=True, eq=False)
class Files:
    """The files of one app: where they are, and what signs links to them."""

    storage: Storage
    settings: StorageSettings
    signatures: Signatures
    making: BoundedSemaphore = field(
        default_factory=lambda: BoundedSemaphore(MOST_MADE)
    )  # of smaller pictures

    @classmethod
    def make(cls, storage: Storage, settings: StorageSettings, secret: str) -> Files:
        """Put the parts together."""
        return cls(storage, settings, Signatures(secret, settings.link_seconds))

    def drop(self, path: str, *, with_variants: bool = False) -> None:
        """Remove a file and what was made of it; what cannot be removed now is left to the sweep."""
        try:
            self.storage.delete(path)
            for variant in list(self.storage.items(f"{path}{VARIANT}")) if with_variants else ():
                self.storage.delete(variant.path)
        except Exception:  # the row has gone already
            log.exception("the file %s could not be removed", path)


@dataclass(frozen=True, slots=True)
class Known:
    """What the host knows of a file."""

    path: str
    name: str
    size: int
    type: str
    digest: str


# --- with a row -------------------------------------------------------------------------------------------------------


def attach(ctx: Context, model: Model, values: Values, before: Mapping[str, Any] | None) -> Values:
    """The column values of a row whose file fields are given: paths instead of uploads, and what mirrors them.

    What the row had before is released. On create, fields of other systems that know no null hold an empty text.
    """
    stored = dict(values)
    for name in model.files:
        if name not in stored:
            if before is None and not model.attributes[name].is_nullable:
                stored[name] = ""
            continue
        given = stored[name]
        if isinstance(given, Uploaded):
            _check_quota(ctx, given.size)
            _note(ctx, model, name, given)
        path = given.path if isinstance(given, Uploaded) else given or None
        stored[name] = path if path is not None or model.attributes[name].is_nullable else ""
        stored |= _mirrors(model, name, given if isinstance(given, Uploaded) else _known(ctx, path))
        old = before.get(name) if before is not None else None
        if old and old != path:
            _release(ctx, model, name, old)
    return stored


def release(ctx: Context, model: Model, row: Mapping[str, Any]) -> None:
    """The files of a row that goes: forgotten with it, removed when that is committed."""
    for name in model.files:
        if row.get(name):
            _release(ctx, model, name, row[name])


def _release(ctx: Context, model: Model, name: str, path: str) -> None:
    """Files that another system named may be shared by rows, and stay."""
    if not is_own(path):
        return
    table = ctx.table(FILE)
    ctx.execute(table.delete().where(table.c.path == path))
    files = ctx.runtime.files
    if files is not None:
        with_variants = bool(model.attributes[name].field.variants)
        ctx.after_commit(partial(files.drop, path, with_variants=with_variants))


def _note(ctx: Context, model: Model, name: str, given: Uploaded | Known) -> None:
    ctx.execute(ctx.table(FILE).insert().values(
        path=given.path, name=given.name, size=given.size, type=given.type, digest=given.digest, resource=model.name,
        field=name, created_at=ctx.now, account_id=ctx.actor.id,
    ))  # fmt: skip


def _mirrors(model: Model, name: str, of: Uploaded | Known | None) -> Values:
    found = {}
    for key, node in model.declared.fields.items():
        source, _, what = (node.mirror or "").partition(".")
        if source == name:
            value = getattr(of, what) if of is not None else None
            found[str(key)] = value[: node.max or 255] if isinstance(value, str) else value
    return found


def _known(ctx: Context, path: str | None) -> Known | None:
    return known(ctx, path) if path else None


def _check_quota(ctx: Context, size: int) -> None:
    room = room_left(ctx)
    if room is not None and size > room:
        raise InsufficientStorage("you have stored as much as you may: remove some of your files first")


def room_left(ctx: Context) -> int | None:
    """How many bytes the actor may still store; None for no limit."""
    quota = ctx.runtime.files.settings.quota if ctx.runtime.files is not None else None
    if quota is None or ctx.actor.id is None:
        return None
    table = ctx.table(FILE)
    used = sa.select(sa.func.coalesce(sa.func.sum(table.c.size), 0)).where(table.c.account_id == ctx.actor.id)
    return max(quota - int(ctx.execute(used).scalar_one()), 0)


# --- what is known of a file ------------------------------------------------------------------------------------------


def known(ctx: Context, path: str) -> Known | None:
    """What is on record of a file."""
    table = ctx.table(FILE)
    columns = (table.c.path, table.c.name, table.c.size, table.c.type, table.c.digest)
    row = ctx.execute(sa.select(*columns).where(table.c.path == path)).fetchone()
    return Known(*tuple(row)) if row is not None else None


def described(runtime: Runtime, model: Model, field: str, path: str, found: Known | None) -> Known:
    """What is on record, or else what the file itself tells: then it is recorded now. Raises Missing.

    Another system may write another file to the same path; its size tells.
    """
    storage = runtime.storage
    if found is not None and (is_own(path) or storage.size(path) == found.size):
        return found
    read = _read(storage, path)
    with runtime.writing(SYSTEM, plugin=HOST) as ctx:
        table = ctx.table(FILE)
        ctx.execute(table.delete().where(table.c.path == path))
        _note(ctx, model, field, read)
    return read


def _read(storage: Storage, path: str) -> Known:
    """Look at a file that nobody described: its content tells the type, its path the name."""
    source = storage.open(path)
    digest, head = hashlib.sha256(), b""
    try:
        for piece in source.pieces:
            head = head or piece[:HEAD]
            digest.update(piece)
    finally:
        source.close()
    name = plain_name(path)
    try:
        media = media_type(head, None, name)
    except Forged:
        media = sniffed(head)
    return Known(path, name, source.size, media, digest.hexdigest())
