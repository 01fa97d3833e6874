"""The host's job that makes rows anew from their events. Workers call it by `host/resources/rebuilding.yaml`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from host.errors import NotFound
from host.service.context import Context
from host.sync.rebuilding import rebuild

log = logging.getLogger("hostwright.logs")


def rebuild_log(ctx: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    """Make all rows of a log anew, each owner's in a transaction of its own; answers what was found of each type."""
    found = ctx.runtime.logs.logs.get(data["log"])
    if found is None:
        raise NotFound(f"there is no log {data['log']}")
    report = rebuild(ctx.runtime, found)
    told = {"owners": report.owners, "types": {name: asdict(it) for name, it in report.types.items()}}
    log.info("rows of %s made anew for %d owners", found.name, report.owners, extra={"rebuilt": told})
    return told
