"""The operations below `/api/host/access`: what is open to the caller, and for admins why.

A user interface asks once what it may offer; about one row it asks with `row`. Nothing is decided here that the operations
would not decide themselves: the same rules, compiled by the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from host.access import facts_of
from host.access.explaining import explain
from host.access.open import Offer, RowOffer, overview, resource_overview, row_offer
from host.access.questions import model_named, parse_key, question
from host.access.reports import report
from host.actor import ANONYMOUS, Actor
from host.auth.lookup import actor_named
from host.compiler.expressions import Facts
from host.compiler.models import Model
from host.errors import FieldError, Forbidden, Invalid, NotFound
from host.service.runtime import Runtime
from host.web.access_document import EXPLANATION, OVERVIEW
from host.web.etags import is_unchanged
from host.web.http import JSON, Answer, Request, json_answer
from host.web.operations import Operation

NOBODY: Final = "nobody"
ADMIN: Final = ("role('admin')",)
CACHING: Final = ("Cache-Control", "private, no-cache")


@dataclass(frozen=True, eq=False)
class AccessOperations:
    """The handlers. `served` answers every operation of the app, these among them, once all are known."""

    runtime: Runtime
    served: Callable[[], Sequence[Operation]]

    def operations(self) -> Iterator[Operation]:
        """Both operations."""
        yield Operation(
            id="readHostAccess", method="GET", path="/api/host/access", kind="access", plugin="host",
            handler=self.overview, summary="What is open to you", is_public=True, access=("public",),
            doc="For user interfaces: every operation with `yes`, `no` or `depends`, which means on the row.",
            details={"document": OVERVIEW},
        )  # fmt: skip
        yield Operation(
            id="explainHostAccess", method="GET", path="/api/host/access/explain", kind="access", plugin="host",
            handler=self.explanation, summary="Why somebody may or may not do something", access=ADMIN,
            doc="What `hostwright explain` prints.", details={"document": EXPLANATION},
        )  # fmt: skip

    def overview(self, request: Request) -> Answer:
        """GET /api/host/access, `?resource=` for one with its fields, `?row=` for one row."""
        given = _given(request, {"resource": False, "row": False})
        if "row" in given:
            return json_answer(self._row(request, given["row"]), headers=[("Cache-Control", "no-store")])
        body = self._body(facts_of(request.actor), given.get("resource", ""))
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        headers = [("ETag", tag), CACHING]
        return (
            Answer(304, b"", None, headers)
            if is_unchanged(request, tag)
            else Answer(200, body, JSON, headers)
        )

    def explanation(self, request: Request) -> Answer:
        """GET /api/host/access/explain, for admins."""
        if not self.runtime.policy.actor_may("host", ADMIN, facts_of(request.actor)):
            raise Forbidden("only admins may ask why")
        given = _given(request, {"as": False, "operation": True, "row": True})
        asked = question(self.runtime.registry, given["operation"], given["row"])
        who = given.get("as", NOBODY)
        with self.runtime.reading(request.actor, request.id) as ctx:
            actor: Actor = ANONYMOUS if who == NOBODY else actor_named(ctx, who)
            values = self.runtime.context(actor, ctx.work).values
            found = explain(ctx.transaction.connection, self.runtime.policy, asked, facts_of(actor), values)
        if found is None:
            raise NotFound(f"there is no {asked.subject}")
        told = report(found, asked, who, sorted(actor.roles))
        return json_answer(told, headers=[("Cache-Control", "no-store")])

    def _body(self, facts: Facts, resource: str) -> bytes:
        """The overview as JSON, worked out once for each set of facts."""
        plans = self.runtime.plans
        return plans.kept(("open", facts, resource), None, lambda: orjson.dumps(self._told(facts, resource)))

    def _told(self, facts: Facts, resource: str) -> Mapping[str, Any]:
        if not resource:
            return overview(self.runtime.policy, self._offers, facts)
        model = model_named(self.runtime.registry, resource)
        return resource_overview(self.runtime.policy, self._offers, facts, model)

    def _row(self, request: Request, subject: str) -> Mapping[str, Any]:
        registry = self.runtime.registry
        name, _, key = subject.partition("/")
        model = model_named(registry, name)
        keys = parse_key(registry, model, key)
        ctx = self.runtime.context(request.actor, request_id=request.id)
        offer = self._row_offer(ctx.facts, model)
        statement = self.runtime.plans.statement((model, "open", ctx.facts), lambda: offer.statement)
        values = {**ctx.values, **{f"key_{index}": value for index, value in enumerate(keys)}}
        with self.runtime.database.reading() as connection:
            found = statement.run(connection, values).fetchone()
        if found is None:
            raise NotFound(f"there is no such {model.spoken}")
        return {"row": subject, **offer.told(found)}

    def _row_offer(self, facts: Facts, model: Model) -> RowOffer:
        plans, policy = self.runtime.plans, self.runtime.policy
        return plans.kept(
            ("open row", facts, model.name), None, lambda: row_offer(policy, self._offers, facts, model)
        )

    @cached_property
    def _offers(self) -> tuple[Offer, ...]:
        return tuple(_offer(operation) for operation in self.served())


def _offer(operation: Operation) -> Offer:
    """An operation as the rules see it."""
    model = operation.wire.model if operation.wire is not None else None
    target = operation.details.get("target")
    named = operation.details.get("name") if operation.kind == "action" else None
    return Offer(
        id=operation.id, name=str(named or operation.kind), plugin=operation.plugin, rule=operation.access, model=model,
        about_row=model is not None and target != "collection",
        is_on_row=model is not None and all(key.name in operation.parameters for key in model.keys),
        is_open=operation.is_open, is_public=operation.is_public,
    )  # fmt: skip


def _given(request: Request, known: Mapping[str, bool]) -> dict[str, str]:
    """The query string; `known` says of each parameter whether it has to be there. Invalid with every problem."""
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Invalid.at("", "query", "the query string cannot be read") from None
    given = dict(pairs)
    errors = [FieldError(name, "unknown", f"takes {', '.join(known)}") for name in given if name not in known]
    errors += [
        FieldError(name, "required", "has to be given")
        for name, wanted in known.items()
        if wanted and name not in given
    ]
    errors += [
        FieldError(name, "value", "expected one text of printable letters")
        for name in given
        if _is_odd(pairs, name)
    ]
    if errors:
        raise Invalid("the query is not valid", errors)
    return given


def _is_odd(pairs: Sequence[tuple[str, str]], name: str) -> bool:
    values = [value for key, value in pairs if key == name]
    return len(values) > 1 or not values[0] or not values[0].isprintable() or len(values[0]) > 600
