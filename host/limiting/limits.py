"""A limit: a rate, the name under which it is counted, and for whom. Operations carry them, the rim enforces them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from host.limiting.rates import Rate


@dataclass(frozen=True, slots=True)
class Limit:
    """`by`: each account (or address, of nobody), or each address whoever is signed in there."""

    name: str
    rate: Rate
    by: Literal["caller", "address"] = "caller"
    is_always: bool = False  # also where the operator has not switched limits on
