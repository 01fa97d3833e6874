"""The operations of `sync`: push, pull, hash, and the bare list of events since a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from host.access import declared_rule
from host.compiler.models import Model
from host.compiler.wires import CompiledWire
from host.declaration.logs import sync_routes
from host.errors import BadRequest, FieldError
from host.service.context import Context
from host.service.runtime import Runtime
from host.sync.hashing import Digests
from host.sync.incoming import client_of, is_uuid, read_batch, read_time
from host.sync.points import SyncPoint
from host.sync.pulling import Page, Place, event_at, note_device, place_of_event, pull
from host.sync.pushing import push
from host.web.http import Answer, Request, json_answer
from host.web.operations import Handler, Operation, operation_id
from host.web.sync_documents import documents

LARGEST_BATCH: Final = 32 << 20
ASKED: Final = ("client_id", "since", "last_event_id", "cursor", "limit")


@dataclass(frozen=True, eq=False)
class SyncOperations:
    """What one resource with `sync` serves."""

    runtime: Runtime
    point: SyncPoint
    digests: Digests = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digests", Digests(self.point))

    @classmethod
    def operations_of(cls, runtime: Runtime, model: Model) -> Iterator[Operation]:
        """The operations of a model, if it says `sync`."""
        point = SyncPoint.of(runtime, model)
        if point is not None:
            yield from cls(runtime, point).operations()

    def operations(self) -> Iterator[Operation]:
        """One for each kind and method, with all of its paths."""
        model = self.point.model
        wire = self.runtime.registry.main_wire(model)
        served: dict[tuple[str, str], list[str]] = {}
        for kind, method, path in sync_routes(model.declared, wire.places.collections[0]):
            served.setdefault((kind, method), []).append(path)
        handlers: Mapping[tuple[str, str], Handler] = {
            ("push", "POST"): self.push, ("pull", "POST"): self.pull, ("pull", "GET"): self.pull_by_query,
            ("hash", "GET"): self.hash, ("events", "GET"): self.events,
        }  # fmt: skip
        for (kind, method), paths in served.items():
            yield self._operation(kind, method, paths, handlers[kind, method], wire)

    def _operation(
        self, kind: str, method: str, paths: list[str], handler: Handler, wire: CompiledWire
    ) -> Operation:
        model, point = self.point.model, self.point
        said = documents(point)[kind, method]
        rule: Literal["create", "list"] = "create" if kind == "push" and point.is_whole else "list"
        verb = f"{kind}_by_get" if (kind, method) == ("pull", "GET") else kind
        return Operation(
            id=operation_id(verb, model.name), method=method, path=paths[0], paths=tuple(paths[1:]), kind=kind,
            plugin=model.plugin, handler=handler, summary=said.summary, doc=said.doc, wire=wire,
            access=declared_rule(model.declared.access, rule), errors=wire.declared.errors,
            details={"document": said.document}, body_limit=LARGEST_BATCH if kind == "push" else 1 << 16,
        )  # fmt: skip

    # -- what they do --

    def push(self, request: Request) -> Answer:
        """POST: a batch of events."""
        _, events = read_batch(self.point, request.json())
        with self.runtime.writing(request.actor, request.id, self.point.model.plugin) as ctx:
            outcome = push(ctx, self.point, events)
        return json_answer(outcome.body())

    def pull(self, request: Request) -> Answer:
        """POST: the next events, by a body."""
        body = request.json(is_optional=True)
        if not isinstance(body, Mapping):
            raise BadRequest("expected a JSON object")
        return self._pulled(request, body)

    def pull_by_query(self, request: Request) -> Answer:
        """GET: the next events, by the query string."""
        asked: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True))
        limit = asked.get("limit")
        if limit is not None and limit.isascii() and limit.isdecimal() and len(limit) < 9:
            asked["limit"] = int(limit)
        return self._pulled(request, asked)

    def hash(self, request: Request) -> Answer:
        """GET: the hash of all events."""
        with self._reading(request) as ctx:
            found = self.digests.of(ctx)
        told = {"hash": found.hash, "event_count": found.count, "last_event_timestamp": found.last_at}
        return json_answer(told)

    def events(self, request: Request) -> Answer:
        """GET: a bare list of the events since a time."""
        given = dict(parse_qsl(request.query, keep_blank_values=True))
        _check_asked(given, ("since",))
        since = given.get("since")
        with self._reading(request) as ctx:
            place = Place(since=self._time(since)) if since else Place()
            page = pull(ctx, self.point, place, self.point.node.most)
        return json_answer(page.events)

    def _pulled(self, request: Request, asked: Mapping[str, Any]) -> Answer:
        _check_asked(asked, ASKED)
        client, limit = client_of(asked.get("client_id")), self._limit(asked.get("limit"))
        with self._reading(request) as ctx:
            page = pull(ctx, self.point, self._place(ctx, asked), limit)
            last = self._last(ctx, page)
            found = self.digests.of(ctx)
        if client is not None:
            with self.runtime.writing(request.actor, request.id, self.point.model.plugin) as ctx:
                note_device(ctx, self.point, client, page)
        told = {
            "events": page.events, "last_event_id": last, "cursor": str(page.last), "hash": found.hash,
            "has_more": page.has_more,
        }  # fmt: skip
        return json_answer(told)

    def _last(self, ctx: Context, page: Page) -> str | None:
        if page.events:
            told: str | None = page.events[-1].get(self.point.outer["id"])
            return told
        return event_at(ctx, self.point, page.last)

    def _place(self, ctx: Context, asked: Mapping[str, Any]) -> Place:
        cursor, last, since = asked.get("cursor"), asked.get("last_event_id"), asked.get("since")
        if last is not None and not is_uuid(last):
            raise BadRequest("last_event_id is the id of an event")
        time = self._time(since) if since is not None else None
        if cursor is not None:
            return Place(_place(cursor))
        return place_of_event(ctx, self.point, last.lower()) if last is not None else Place(since=time)

    def _time(self, value: Any) -> Any:
        # A `+` of a time zone that was not quoted has become a space.
        text = value.replace(" ", "+") if isinstance(value, str) and "T" in value else value
        return read_time(text, self.point.wire.declared.values.naive, "since")

    def _limit(self, value: Any) -> int:
        most = self.point.node.most
        if value is None:
            return self.point.standard
        if isinstance(value, float) and value.is_integer():  # to JSON 5.0 is the same whole number
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise BadRequest(f"limit is a whole number from 1 to {most}")
        return value

    def _reading(self, request: Request) -> Any:
        return self.runtime.reading(request.actor, request.id, self.point.model.plugin)


def _place(cursor: Any) -> int:
    if not (isinstance(cursor, str) and cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise BadRequest("cursor is that of a page before")
    return int(cursor)


def _check_asked(asked: Mapping[str, Any], known: tuple[str, ...]) -> None:
    errors = [
        FieldError(f"/{name}", "unknown", f"takes {', '.join(known)}") for name in asked if name not in known
    ]
    if errors:
        raise BadRequest("what is asked is not known", errors)
