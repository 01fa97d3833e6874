"""What plugins have added to the account, as its owner sees and sets it. `web.profiles` asks; the rules are the fields' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.auth.lookup import Row
from host.compiler.models import ACCOUNT, Attribute
from host.service.context import Context
from host.service.runtime import Runtime


def added(runtime: Runtime) -> list[Attribute]:
    """The fields that plugins have added."""
    model = runtime.registry.model(ACCOUNT)
    return [attribute for attribute in model.attributes.values() if attribute.field.extends is not None]


def seen(ctx: Context, account: Row) -> Row:
    """The account without those added fields that their `read` rules hide from the actor."""
    runtime = ctx.runtime
    ruled = [attribute for attribute in added(runtime) if attribute.field.read]
    if not ruled:
        return account
    plan = runtime.plans.checked(
        runtime.registry.model(ACCOUNT), ctx.facts, tuple(attribute.field.read for attribute in ruled)
    )
    with runtime.database.reading() as connection:
        found = plan.fetch(connection, (account["id"],), ctx.values)
    verdicts = found.verdicts if found is not None else (False,) * len(ruled)
    hidden = {it.name for it, holds in zip(ruled, verdicts, strict=True) if not holds}
    return {name: None if name in hidden else value for name, value in account.items()}


def changed(runtime: Runtime, given: Mapping[str, Any]) -> Row:
    """The values of added fields that somebody sends; whether they may be set is for the fields' `write` rules."""
    names = {
        attribute.name for attribute in added(runtime) if attribute.is_writable and attribute.field.write
    }
    return {name: value for name, value in given.items() if name in names}
