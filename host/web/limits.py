"""Rates at the rim: of addresses, of accounts, and of operations that declare them. `application` adds these steps.

What was counted for a request is noted on it, so that every answer says where the caller stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from host.declaration.nodes import Action, Endpoint
from host.errors import TooManyRequests
from host.limiting import Limit, Limiter, Standing, parse_rate
from host.web.forwarded import network_of
from host.web.http import Answer, Request
from host.web.operations import Operation
from host.web.steps import Steps

EXEMPT = "/health"
READING = ("list", "get", "history", "export", "download", "link", "pull", "hash", "events")
ATTRIBUTES: Mapping[str, str] = {"import": "import_"}  # which is a word of Python


@dataclass(frozen=True, eq=False)
class RateLimits:
    """The limits of one app. `address` and `account` are those of every request, `is_on` whether declared ones count."""

    limiter: Limiter
    address: Limit | None = None
    account: Limit | None = None
    is_on: bool = True

    def steps(self) -> Steps:
        """What joins the pipeline; what is not configured joins nothing."""
        return Steps(
            arrivals=(self.arrive,) if self.address else (),
            guards=(self.guard,),
            departures=(self.depart,),
        )

    def arrive(self, request: Request) -> None:
        """Before anything is looked at: the limit of an address."""
        assert self.address is not None  # else this is no step
        if not request.path.startswith(EXEMPT):
            self._count(request, self.address)

    def guard(self, request: Request, operation: Operation) -> None:
        """When it is known who asks for what: the limits of an account and of the operation."""
        if self.account is not None and request.actor.id is not None:
            self._count(request, self.account)
        for limit in operation.limits:
            if limit.is_always or self.is_on:
                self._count(request, limit)

    def depart(self, request: Request, answer: Answer) -> None:
        """Say where the caller stands."""
        standings = request.standings
        if standings:
            answer.headers.append(("RateLimit-Policy", ", ".join(each.policy for each in standings)))
            answer.headers.append(("RateLimit", ", ".join(each.state for each in standings)))

    def _count(self, request: Request, limit: Limit) -> None:
        standing = self.limiter.take(limit.rate, limit.name, _who(request, limit))
        request.standings = (*request.standings, standing)
        if not standing.is_allowed:
            raise _refusal(standing)


def _who(request: Request, limit: Limit) -> str:
    """The account, where there is one and it is meant; else the address. The two are never taken for each other."""
    account = request.actor.id if limit.by == "caller" else None
    return f"account {account}" if account is not None else f"address {network_of(request.remote)}"


def _refusal(standing: Standing) -> TooManyRequests:
    error = TooManyRequests(f"more than {standing.rate} here; try again in {standing.wait} seconds")
    error.headers = {"Retry-After": str(standing.wait)}
    return error


def resource_limits(operation: Operation) -> tuple[Limit, ...]:
    """The limits of a resource that count an operation of it, whichever of its wires it is on."""
    if operation.wire is None:
        return ()
    model, words = operation.wire.model, operation.kind.split("_")
    wanted = ["every"]
    if operation.kind != "action":
        wanted += ["read" if words[0] in READING else "write", *words]
    rates = ((word, getattr(model.declared.limits, ATTRIBUTES.get(word, word), None)) for word in wanted)
    return tuple(Limit(f"{model.name}.{word}", parse_rate(rate)) for word, rate in rates if rate)


def limits_of(name: str, node: Action | Endpoint) -> tuple[Limit, ...]:
    """The limit of an action or an endpoint, counted under its name."""
    return (Limit(name, parse_rate(node.limit)),) if node.limit else ()
