"""The composition root: settings in, a WSGI app out. Reads as the boot sequence; nothing is registered after it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

import pluggy
import sqlalchemy as sa

from host.compiler.registry import Registry, compile_registry
from host.database import Database, Timeouts
from host.declaration.calls import resolve_calls
from host.declaration.nodes import Plugin
from host.declaration.problems import Problems
from host.declaration.workspace import HOST, SITE
from host.discovery import Discovery, discover, link_found
from host.discovery.hooks import make_hooks
from host.errors import ConfigurationError
from host.fields.kinds import kinds, vocabulary
from host.jobs.attendance import attendance
from host.jobs.waking import open_waker
from host.limiting import Limiter
from host.mail.making import make_mailer
from host.metrics import FileStore, MemoryStore, Meters
from host.migrations.owners import Owner
from host.service.files import Files
from host.service.repeats import Repeats
from host.service.runtime import Runtime
from host.settings import Settings
from host.settings.tracing import exports_traces
from host.storage.opening import open_storage
from host.tracing import Exporter
from host.web.access import AccessOperations
from host.web.actions import action_operations, endpoint_operations
from host.web.audit import Audit
from host.web.authentication import Authentication
from host.web.bulk import BulkOperations
from host.web.door import Door, run_wsgi
from host.web.files import FileOperations
from host.web.gauges import Gauges
from host.web.health import HealthOperations
from host.web.history import HistoryOperations
from host.web.idempotency import Idempotency
from host.web.identity import identity_operations
from host.web.jobs import polled
from host.web.logs import AccessLog
from host.web.metrics import MetricsOperation, RequestMeter
from host.web.operations import Operation
from host.web.pipeline import Fallback, Pipeline
from host.web.protection import protected, protection
from host.web.resources import ResourceOperations
from host.web.router import Router
from host.web.scopes import guard_scopes
from host.web.served import served, with_credentials
from host.web.steps import Steps
from host.web.sync import SyncOperations
from host.web.traces import ExportedRequests
from host.web.transfer import MOST_EXPORTS, TransferOperations

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True, eq=False, repr=False)
class App:
    """One assembled app, free of Flask: what every door, command and test works with."""

    settings: Settings
    runtime: Runtime
    operations: tuple[Operation, ...]
    authentication: Authentication
    hooks: pluggy.PluginManager
    limiter: Limiter
    router: Router
    steps: Steps = field(default_factory=Steps)

    def pipeline(self, fallback: Fallback) -> Pipeline:
        """The steps of a request, with what answers where no operation does."""
        authenticators, limit = self.authentication.authenticators, self.settings.body_limit
        return Pipeline(self.router, authenticators, fallback, limit, self.steps, self.runtime.exporter)


@dataclass(frozen=True, eq=False)
class Loaded:
    """The declarations of a site, compiled; needs no database and no secret."""

    discovery: Discovery
    registry: Registry
    hooks: pluggy.PluginManager


def load_site(root: Path, environ: Mapping[str, str]) -> Loaded:
    """Read, link and compile the declarations. Raises DeclarationError with every problem."""
    problems = Problems()
    found = discover(root, problems)
    hooks = make_hooks(found.enabled)
    registered = [kind for made in hooks.hook.register_field_types() for kind in made]
    known = kinds(*registered)
    discovery = link_found(found, problems, vocabulary(known), environ)
    return Loaded(discovery, compile_registry(discovery.declaration, known), hooks)


def table_owners(loaded: Loaded, root: Path) -> tuple[Owner, ...]:
    """Whose tables and revisions there are: the host's, each plugin's, and last the site's own."""
    tables: dict[str, list[sa.Table]] = {}
    for table in loaded.registry.metadata.sorted_tables:
        tables.setdefault(table.info["owner"], []).append(table)
    plugins = loaded.registry.declaration.plugins
    return tuple(
        Owner(
            plugin.name, _revisions(plugin, root), tuple(tables.get(plugin.name, ())),
            depends=_depends(plugin, plugins), editable=_revisions(plugin, root).is_relative_to(root),
        )
        for plugin in plugins
    )  # fmt: skip


def _revisions(plugin: Plugin, root: Path) -> Path:
    if plugin.name == HOST:
        # In a wheel they lie inside the package, in a checkout beside it.
        packaged = Path(__file__).parent / "_migrations" / HOST
        return packaged if packaged.is_dir() else Path(__file__).parents[1] / "migrations" / HOST
    if plugin.name == SITE or plugin.folder is None:
        return root / "migrations" / plugin.name
    return plugin.folder / "migrations"


def _depends(plugin: Plugin, plugins: Sequence[Plugin]) -> tuple[str, ...]:
    if plugin.name == HOST:
        return ()
    others = (
        [other.name for other in plugins if other.name not in (HOST, SITE)] if plugin.name == SITE else []
    )
    return (HOST, *plugin.manifest.depends, *others)


def assemble(settings: Settings) -> App:
    """Everything but Flask. Connects to no database yet."""
    loaded = load_site(settings.root, settings.environ)
    registry, hooks = loaded.registry, loaded.hooks
    runtime = _runtime(settings, loaded)
    limiter = Limiter.open(settings.redis.url, settings.redis.prefix)
    authentication = Authentication.make(runtime, settings, hooks)
    operations: tuple[Operation, ...] = (
        *polled(resource_operations(runtime, settings)),
        *endpoint_operations(runtime),
        *authentication.operations(),
        *identity_operations(authentication, lambda: operations),
        *AccessOperations(runtime, lambda: operations).operations(),
        *HealthOperations(
            runtime.database,
            registry.declaration.plugins,
            table_owners(loaded, settings.root),
            hooks.hook.health_checks,
            lambda: attendance(runtime),
        ).operations(),
        *MetricsOperation(
            runtime.meters, Gauges(runtime), settings.metrics, settings.is_embedded
        ).operations(),
    )
    everywhere = settings.identity.cookies
    chosen = served(operations, registry.declaration, settings.only)
    operations = tuple(protected(with_credentials(chosen, everywhere=everywhere), settings))
    hooks.hook.startup(registry=registry, settings=settings)
    router = Router(operations)
    steps = _steps(settings, runtime, limiter, router)
    return App(settings, runtime, operations, authentication, hooks, limiter, router, steps)


def _runtime(settings: Settings, loaded: Loaded) -> Runtime:
    registry = loaded.registry
    calls = resolve_calls(registry.declaration, loaded.discovery.import_function)
    database = Database.open(
        settings.database_url, synchronous=settings.synchronous, timeouts=timeouts(settings)
    )
    files = Files.make(open_storage(settings.storage, settings.root), settings.storage, settings.secret)
    waker = open_waker(settings)
    runtime = Runtime.make(registry, database, settings.secret, calls, files, settings.audit, waker)
    return replace(
        runtime, mail=make_mailer(settings, registry.declaration), events=settings.events,
        meters=open_meters(settings), exporter=_exporter(settings),
    )  # fmt: skip


def _steps(settings: Settings, runtime: Runtime, limiter: Limiter, router: Router) -> Steps:
    """What happens around every operation, in order."""
    repeats = Idempotency(Repeats(runtime, settings.idempotency)).steps()
    steps = ExportedRequests(runtime.exporter).steps() if runtime.exporter is not None else Steps()
    steps += AccessLog().steps() + Audit(runtime).steps() + protection(settings, limiter, router) + repeats
    steps += Steps(guards=(guard_scopes,))
    return steps + RequestMeter(runtime.meters, runtime.database).steps() if settings.metrics.is_on else steps


def _exporter(settings: Settings) -> Exporter | None:
    if not exports_traces(settings.environ):
        return None
    from host.tracing.otel import OpenTelemetry  # only where traces are exported

    return OpenTelemetry.open()


def open_meters(settings: Settings) -> Meters:
    """What counts, for this process alone or together with others."""
    folder = settings.metrics.folder
    if not folder or not settings.metrics.is_on:
        return Meters(MemoryStore())
    try:
        return Meters(FileStore(Path(folder)))
    except ConfigurationError as error:  # no reason not to serve
        logging.getLogger("hostwright").warning("each process counts for itself: %s", error)
        return Meters(MemoryStore())


def timeouts(settings: Settings) -> Timeouts:
    """How long the database may take for one request."""
    chosen = settings.database
    whole = settings.protection.request_seconds or 0
    return Timeouts(chosen.statement_seconds, chosen.lock_seconds, chosen.idle_seconds, whole)


def describe(root: Path, environ: Mapping[str, str], only: str = "") -> App:
    """The app as it would be, for printing what it serves: it needs no secret and never opens its database."""
    unused = f"sqlite:///{root / 'unused.db'}"
    return assemble(Settings(root=root, secret="", database_url=unused, environ=environ, only=only))


def resource_operations(runtime: Runtime, settings: Settings) -> list[Operation]:
    """The operations of every wire of every resource."""
    found: list[Operation] = []
    exports = BoundedSemaphore(MOST_EXPORTS)
    for wires in runtime.registry.wires.values():
        for wire in wires:
            found += ResourceOperations(runtime, wire).operations()
            found += FileOperations(runtime, wire).operations()
            found += BulkOperations(runtime, wire).operations()
            found += TransferOperations(runtime, wire, exports, settings.import_limit).operations()
            found += HistoryOperations(runtime, wire).operations()
            found += action_operations(runtime, wire)
        found += SyncOperations.operations_of(runtime, wires[0].model)
    return found


def create_app(settings: Settings) -> Flask:
    """The Flask application, with the host's door in front of it."""
    return flask_app(assemble(settings))


def flask_app(app: App) -> Flask:
    """Flask behind the door: it serves the documents; the operations never reach it."""
    from host.web.documents import make_flask  # Flask and the document libraries are only wanted by servers

    app.limiter.prepare()
    flask = make_flask(app)
    flask.wsgi_app = Door(app.pipeline(flask_fallback(flask.wsgi_app)))  # type: ignore[method-assign]  # Flask's own way to wrap
    return flask


def flask_fallback(wsgi: Callable[..., Any]) -> Fallback:
    """What answers a path that no operation has."""
    return lambda request: run_wsgi(wsgi, request)
