"""Values that the server draws at random and that occur once, such as join codes: drawn again until one is free.

`writing` and `records` call it. The unique constraint decides what is free, so that two writers never get the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from host.compiler.models import Model
from host.errors import Duplicate, HostError
from host.service.context import Context

MOST_TRIES = 10
Done = TypeVar("Done")


def with_drawn(
    ctx: Context, model: Model, names: Collection[str], write: Callable[[Mapping[str, Any]], Done]
) -> Done:
    """Call `write` with values for these fields; again with others, when one of them was taken.

    Each try is a savepoint. After ten of them nothing is free in practice: an error of the server's, status 500.
    """
    for _ in range(MOST_TRIES):
        try:
            with ctx.transaction.savepoint():
                return write({name: _draw(model, name) for name in names})
        except Duplicate as error:
            if any(item.pointer.removeprefix("/") not in names for item in error.errors):
                raise
    raise HostError(f"no free {' and '.join(names)} was found in {MOST_TRIES} tries")


def _draw(model: Model, name: str) -> str:
    declared = model.declared.fields[name].random
    assert declared is not None  # one of `Model.drawn`
    return "".join(secrets.choice(declared.letters) for _ in range(declared.length))
