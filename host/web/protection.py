"""What protects every operation of an app, in the order in which it joins the pipeline. `application` puts it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from host.limiting import Limit, Limiter
from host.settings import Settings
from host.web.cors import Cors
from host.web.deadlines import Watch, short_urls, timed_bodies, timed_requests
from host.web.forwarded import forwarded
from host.web.headers import SecurityHeaders
from host.web.https import known_hosts, only_https
from host.web.limits import RateLimits, resource_limits
from host.web.operations import Operation
from host.web.router import Router
from host.web.steps import Arrival, Steps


def protection(settings: Settings, limiter: Limiter, router: Router) -> Steps:
    """Every step of the rim: the real address first, because all others ask for it; the headers last."""
    chosen = settings.protection
    arrivals: tuple[Arrival, ...] = (short_urls, timed_bodies(chosen.body_seconds, Watch()))
    if settings.proxy.trusted:
        arrivals += (forwarded(settings.proxy),)
    if settings.hosts:
        arrivals += (known_hosts(settings.hosts),)
    if wants_https(settings):
        arrivals += (only_https(settings.public_url),)
    headers = SecurityHeaders.make(
        is_shared=bool(chosen.origins), hsts_seconds=chosen.hsts_seconds if wants_https(settings) else 0
    )
    others = Cors(frozenset(chosen.origins), router, chosen.credentials, chosen.preflight_seconds)
    timed = timed_requests(chosen.request_seconds) if chosen.request_seconds else Steps()
    steps = timed + Steps(arrivals=arrivals) + (others.steps() if chosen.origins else Steps())
    return steps + rate_limits(settings, limiter).steps() + Steps(departures=(headers.depart,))


def rate_limits(settings: Settings, limiter: Limiter) -> RateLimits:
    """The limits that the settings ask for."""
    chosen = settings.protection
    return RateLimits(
        limiter,
        address=Limit("address", chosen.address_rate, "address") if chosen.address_rate else None,
        account=Limit("account", chosen.account_rate) if chosen.account_rate else None,
        is_on=not settings.is_embedded if chosen.limits is None else chosen.limits,
    )


def wants_https(settings: Settings) -> bool:
    """Whether plain HTTP is refused: on servers, unless the operator says otherwise."""
    chosen = settings.protection.https
    return not settings.is_embedded if chosen is None else chosen


def protected(operations: Iterable[Operation], settings: Settings) -> Iterable[Operation]:
    """The operations, with the limits that their resources declare and those that some have by default."""
    sign_up = Limit("sign-up", settings.protection.sign_up_rate, "address", is_always=True)
    for operation in operations:
        limits = (*operation.limits, *resource_limits(operation))
        if operation.details.get("identity") == "sign_up":
            limits += (sign_up,)
        yield replace(operation, limits=limits) if limits else operation
