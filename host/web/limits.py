"""Rates at the rim: of addresses, of accounts, and of operations that declare them. `application` adds these steps.

What was counted for a request is noted on it, so that every answer says where the caller stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from host.errors import TooManyRequests
from host.limiting import Limit, Limiter, Standing
from host.web.forwarded import network_of
from host.web.http import Answer, Request
from host.web.operations import Operation
from host.web.steps import Steps

EXEMPT = "/health"


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
