"""What the conformance suite knows of one wire: its operations, actors, rows and how its errors have to look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from host.access import declared_rule, facts_of
from host.actor import Actor
from host.compiler.models import Attribute, Model
from host.compiler.wires import CompiledWire
from host.testing.contents import form_of, wanted_files
from host.testing.factory import Factory
from host.testing.sites import Client, Site
from host.web.documents import build_document
from host.web.operations import Operation

MEMBERS = ("type", "title", "status", "detail", "code", "trace_id")


@dataclass(eq=False, repr=False)
class Conforming:
    """One wire of a running site."""

    site: Site
    wire: CompiledWire
    factory: Factory
    document: dict[str, Any]

    @classmethod
    def all_of(cls, site: Site, samples: Any) -> dict[str, Conforming]:
        """Every wire that serves anything, by its name."""
        document = build_document(site.app)
        factory = Factory(site, samples)
        return {
            label(wire): cls(site, wire, factory, document)
            for wires in site.runtime.registry.wires.values()
            for wire in wires
        }

    def __repr__(self) -> str:
        return f"<Conforming {label(self.wire)}>"  # pytest prints it with every failure

    @property
    def model(self) -> Model:
        """The resource."""
        return self.wire.model

    @cached_property
    def operations(self) -> list[Operation]:
        """The wire's operations."""
        return [operation for operation in self.site.app.operations if operation.wire is self.wire]

    def operation(self, kind: str) -> Operation | None:
        """The first operation of a kind, if the wire has one."""
        return next((operation for operation in self.operations if operation.kind == kind), None)

    def rule(self, kind: Any) -> tuple[str, ...]:
        """The rule of a generated operation."""
        return self.spelled_out(declared_rule(self.model.declared.access, kind))

    def spelled_out(self, rule: tuple[str, ...]) -> tuple[str, ...]:
        """The conditions of a declared rule, where it is a named one by itself."""
        named = self.site.runtime.registry.declaration.rules
        found = named.get(f"{self.model.plugin}.{rule[0]}") if len(rule) == 1 else None
        return found.when if found is not None else rule

    # -- actors --

    @cached_property
    def writer(self) -> Actor:
        """Who makes rows: a plain user, or an administrator where the rules want one."""
        user = self.site.account()
        if self.operation("create") is None:
            is_closed = self.site.runtime.policy.predicate(self.model, "get", facts_of(user)) is False
            return self.site.account(role="admin") if is_closed else user
        answer = self.create(self.client(user), self.factory.body(self.wire, user), user)
        return self.site.account(role="admin") if answer.status_code == 403 else user

    @cached_property
    def other(self) -> Actor:
        """Another user, whom nothing of the writer's concerns."""
        return self.site.account()

    def client(self, actor: Actor | None) -> Client:
        """A client of an actor, or of nobody."""
        return self.site.client(actor)

    def create(
        self, client: Client, body: dict[str, Any], owner: Actor | None = None, key: str | None = None
    ) -> TestResponse:  # fmt: skip
        """Send a body to create: as JSON, or as a form where a file has to come with it; `key` makes it repeatable."""
        path = self.factory.placement.below(self.wire, self.wire.path, owner or self.writer)
        if key is None and self.wire.create.idempotency.required:
            key = uuid4().hex
        headers = {"Idempotency-Key": key} if key is not None else {}
        if not wanted_files(self.wire):
            return client.post(path, json=body, headers=headers)
        form = form_of(body, self.wire)
        return client.post(path, data=form, content_type="multipart/form-data", headers=headers)

    # -- rows and paths --

    def body(self) -> dict[str, Any]:
        """A body that create takes from the writer."""
        return self.factory.body(self.wire, self.writer)

    def stored(self) -> tuple[Any, ...]:
        """The key of a new row of the writer's."""
        return self.factory.stored(self.wire, self.writer)

    @cached_property
    def collection(self) -> str:
        """The path of the collection, below the writer's parents."""
        return self.factory.placement.below(self.wire, self.wire.path, self.writer)

    def path_of_text(self, key: str) -> str:
        """The path of a row whose key is any text, as it is."""
        item = self.factory.placement.below(self.wire, self.wire.places.items[0], self.writer)
        return re.sub(r"\{[^}]*\}", lambda _: key, item)

    def path(self, keys: tuple[Any, ...]) -> str:
        """The path of a row."""
        return self.factory.path(self.wire, keys)

    def filled(self, operation: Operation, keys: tuple[Any, ...]) -> str:
        """The path of an operation about a row."""
        return self.factory.placement.item(self.wire, operation.path, keys)

    def attribute(self, outer: str) -> Attribute | None:
        """The attribute behind an outer name."""
        return self.model.attributes.get(self.wire.inner.get(outer, outer))

    # -- errors --

    def status(self, code: str, standard: int) -> int:
        """The status of an error on this wire."""
        return int(self.wire.declared.errors.status.get(code, standard))  # type: ignore[call-overload]  # codes beyond the named

    def refused(self, answer: TestResponse, status: int) -> dict[str, Any]:
        """The problem that an answer holds, once it is sure that it is one."""
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json", answer.text
        problem: dict[str, Any] = answer.get_json(force=True)
        wanted = (*MEMBERS, *self.wire.declared.errors.keys)
        assert [key for key in wanted if key not in problem] == []
        assert problem["status"] == status
        return problem


def label(wire: CompiledWire) -> str:
    """The name of a wire among all: `freelance.invoice`, with the wire's own name where it is not the main one."""
    return wire.model.name if wire.is_main else f"{wire.model.name}:{wire.name}"
