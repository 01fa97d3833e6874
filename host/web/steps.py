"""What happens around every operation, as frozen tuples that `application` puts together and `pipeline` runs in order.

Each concern (limits, cross-origin rules, idempotency, audit, metrics) is a module of its own and joins here; none is asked
for by an operation, so none can be forgotten by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from host.errors import HostError
from host.web.http import Answer, Request
from host.web.operations import Handler, Operation


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that has been answered; `error` is what was raised on purpose, `seconds` the wall time."""

    request: Request
    operation: Operation | None
    answer: Answer
    error: HostError | None
    seconds: float


Arrival = Callable[[Request], Answer | None]
Guard = Callable[[Request, Operation], None]
Around = Callable[[Request, Operation, Handler], Answer]
Departure = Callable[[Request, Answer], None]
Observer = Callable[[Seen], None]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Everything that joins the pipeline. An answer or an error of an early step ends the request."""

    arrivals: tuple[Arrival, ...] = ()  # before routing, for every path
    guards: tuple[Guard, ...] = ()  # once it is known who asks for which operation; they raise
    around: tuple[Around, ...] = ()  # call the operation, or answer in its place; the first is the outermost
    departures: tuple[Departure, ...] = ()  # add headers to every answer, also to that of an error
    observers: tuple[Observer, ...] = ()  # look at what has been answered, in the request's thread

    def __add__(self, other: Steps) -> Steps:
        """Both, these first."""
        return Steps(
            **{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)}
        )
