"""What protects every operation of an app, in the order in which it joins the pipeline. `application` puts it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from host.limiting import Limit, Limiter
from host.settings import Settings
from host.web.forwarded import forwarded
from host.web.limits import RateLimits
from host.web.operations import Operation
from host.web.steps import Steps

SIGNING_UP = ("registerHostAccount",)


def protection(settings: Settings, limiter: Limiter) -> Steps:
    """Every step of the rim: the real address first, because all others ask for it."""
    chosen = settings.protection
    by_proxies = Steps(arrivals=(forwarded(settings.proxy),)) if settings.proxy.trusted else Steps()
    limits = RateLimits(
        limiter,
        address=Limit("address", chosen.address_rate, "address") if chosen.address_rate else None,
        account=Limit("account", chosen.account_rate) if chosen.account_rate else None,
        is_on=not settings.is_embedded if chosen.limits is None else chosen.limits,
    )
    return by_proxies + limits.steps()


def protected(operations: Iterable[Operation], settings: Settings) -> Iterable[Operation]:
    """The operations, with the limits that some have by default."""
    sign_up = Limit("sign-up", settings.protection.sign_up_rate, "address", is_always=True)
    for operation in operations:
        yield (
            replace(operation, limits=(*operation.limits, sign_up))
            if operation.id in SIGNING_UP
            else operation
        )
