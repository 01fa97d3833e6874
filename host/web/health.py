"""Whether the service lives and is ready, and which version it is: for load balancers, monitors and clients."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from host.database import Database
from host.declaration.nodes import Plugin
from host.errors import ConfigurationError, Unavailable
from host.migrations.owners import Owner
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation

Checks = Mapping[str, Callable[[], None]]
log = logging.getLogger("hostwright")
NO_STORE = ("Cache-Control", "no-store")
STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
PRESENCE = {"type": "string", "enum": ["up", "starting", "down"]}
READY = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["ready", "degraded"]}, "workers": PRESENCE, "scheduler": PRESENCE,
    },
    "required": ["status"],
}  # fmt: skip
STARTING_SECONDS = 30.0  # in which workers that start beside this process need not have been seen


@dataclass(frozen=True, eq=False)
class HealthOperations:
    """The handlers. `owners` are asked whether the database has all their revisions, `checks` are those of the hooks.

    `attendance` tells whether workers and the scheduler are there. Without them requests are answered all the same, so it
    makes the answer `degraded` and not 503: that would take every web process away because of another one.
    """

    database: Database
    plugins: Sequence[Plugin]
    owners: Sequence[Owner]
    checks: Callable[[], Sequence[Checks]] = tuple
    attendance: Callable[[], Mapping[str, bool]] = dict
    started: float = field(default_factory=time.monotonic)

    def operations(self) -> Iterator[Operation]:
        """Every operation."""
        yield self._operation(
            "health", "/health", self.health, "Whether the service lives", self._health_document()
        )
        yield self._operation(
            "healthLive", "/health/live", self.live, "Whether the process lives", _answering(STATUS)
        )
        yield self._operation(
            "healthReady", "/health/ready", self.ready, "Whether requests can be served", _answering(READY)
        )
        yield self._operation(
            "version", "/api/version", self.version, "Which version serves", _answering(_VERSION)
        )

    def _operation(
        self, name: str, path: str, handler: Any, summary: str, document: dict[str, Any]
    ) -> Operation:
        return Operation(
            id=name, method="GET", path=path, kind="health", plugin="host", handler=handler, summary=summary,
            is_public=True, is_open=True, details={"document": {"responses": document}},
        )  # fmt: skip

    def health(self, request: Request) -> Answer:
        """`OK`, or JSON where the caller asks for it."""
        if "application/json" not in (request.header("accept") or ""):
            return Answer(200, b"OK", "text/plain; charset=utf-8", [NO_STORE])
        enabled = [plugin.name for plugin in self.plugins if plugin.name not in ("host", "site")]
        return json_answer({"status": True, "service": "hostwright", "plugins": enabled}, headers=[NO_STORE])

    def live(self, request: Request) -> Answer:
        """The process answers; nothing else is looked at."""
        return json_answer({"status": "live"}, headers=[NO_STORE])

    def ready(self, request: Request) -> Answer:
        """The database answers and has every revision, and who carries jobs out. Raises Unavailable with what is missing."""
        from host.migrations.pending import pending  # only here

        try:
            missing = pending(self.database, self.owners)
        except (ConfigurationError, Unavailable) as error:
            raise Unavailable("the database cannot be reached") from error
        if missing:
            raise Unavailable(f"migrations are pending for {', '.join(found.owner for found in missing)}")
        self._ask_plugins()
        return json_answer(self._present(), headers=[NO_STORE])

    def _present(self) -> dict[str, str]:
        absent = "starting" if time.monotonic() - self.started < STARTING_SECONDS else "down"
        told = {name: "up" if is_there else absent for name, is_there in self.attendance().items()}
        return {"status": "degraded" if "down" in told.values() else "ready", **told}

    def _ask_plugins(self) -> None:
        for name, check in ((name, check) for checks in self.checks() for name, check in checks.items()):
            try:
                check()
            except Exception as error:  # whatever a plugin's check raises means that it is not ready
                log.warning("the check %s failed: %r", name, error)
                raise Unavailable(f"{name} is not ready") from error

    def version(self, request: Request) -> Answer:
        """The versions of the host and of the enabled plugins."""
        versions = {plugin.name: plugin.manifest.version for plugin in self.plugins if plugin.name != "site"}
        body = {"service": "hostwright", "version": versions.pop("host", ""), "plugins": versions}
        return json_answer(body, headers=[NO_STORE])

    @staticmethod
    def _health_document() -> dict[str, Any]:
        plugins = {"type": "array", "items": {"type": "string"}}
        properties = {"status": {"type": "boolean"}, "service": {"type": "string"}, "plugins": plugins}
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        content = {"text/plain": {"schema": {"const": "OK"}}, "application/json": {"schema": schema}}
        return {"200": {"description": "It lives.", "content": content}}


_VERSION = {
    "type": "object",
    "properties": {
        "service": {"type": "string"},
        "version": {"type": "string"},
        "plugins": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["service", "version", "plugins"],
}


def _answering(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "Yes.", "content": {"application/json": {"schema": schema}}}}
