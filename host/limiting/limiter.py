"""The limiter: counts in Redis where there is one, else (or while Redis is away) in the memory of the process.

It never fails and never makes a request wait: Redis has a fraction of a second to answer, and after a failure it is left alone
until a thread in the background has reached it again. Made once by `application`, used by `auth` and `web`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from host.errors import TooManyRequests
from host.limiting.rates import Rate

if TYPE_CHECKING:
    from limits import RateLimitItem

    from host.limiting.shared import Shared


class Counters(Protocol):
    """What is wanted of a storage of `limits`: windows that slide."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool: ...

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]: ...

    def clear_sliding_window(self, key: str, expiry: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands: what is left of the rate, and the seconds until there is more (0 while nothing was used)."""

    name: str
    rate: Rate
    is_allowed: bool
    remaining: int
    wait: int

    @property
    def policy(self) -> str:
        """The value of `RateLimit-Policy`."""
        return f'"{self.name}";q={self.rate.times};w={self.rate.seconds}'

    @property
    def state(self) -> str:
        """The value of `RateLimit`."""
        return f'"{self.name}";r={self.remaining};t={self.wait}'

    def headers(self) -> dict[str, str]:
        """The headers of an answer that this stands behind; a refusal says when to come back."""
        found = {"RateLimit-Policy": self.policy, "RateLimit": self.state}
        return found if self.is_allowed else {**found, "Retry-After": str(self.wait)}


class Limiter:
    """Counts by the name of what is limited and by who does it (an address, an account, a text that was typed)."""

    def __init__(self, shared: Shared | None = None, memory: Callable[[], Counters] | None = None) -> None:
        self._shared = shared
        self._make_memory = memory or _memory
        self._lock = Lock()

    @classmethod
    def open(cls, redis_url: str = "") -> Limiter:
        """In Redis when there is a URL, else in memory. Connects to nothing yet."""
        if not redis_url:
            return cls()
        from host.limiting.shared import Shared  # Redis only where it is configured

        return cls(Shared(redis_url))

    @cached_property
    def _memory(self) -> Counters:
        with self._lock:  # two threads may come here first
            return self.__dict__.get("_memory") or self._make_memory()

    def take(self, rate: Rate, name: str, *who: str) -> Standing:
        """Count once, unless that would be over the rate; the standing afterwards."""
        return self._standing(rate, name, who, counts=True)

    def look(self, rate: Rate, name: str, *who: str) -> Standing:
        """The standing, without counting."""
        return self._standing(rate, name, who, counts=False)

    def demand(
        self, rate: Rate, name: str, *who: str, detail: str = "too many requests; try again later"
    ) -> Standing:
        """Count once. Raises TooManyRequests, with its headers, when that is over the rate."""
        standing = self.take(rate, name, *who)
        if not standing.is_allowed:
            raise refusal(standing, detail)
        return standing

    def clear(self, rate: Rate, name: str, *who: str) -> None:
        """Forget what was counted, e.g. failures after a success."""
        key = _item(rate).key_for(name, _digest(who))
        if self._shared is not None:
            self._shared.run(lambda storage: storage.clear_sliding_window(key, rate.seconds))
        self._memory.clear_sliding_window(key, rate.seconds)

    def close(self) -> None:
        """Give the connections back, e.g. at the end of a test."""
        if self._shared is not None:
            self._shared.close()

    def _standing(self, rate: Rate, name: str, who: tuple[str, ...], *, counts: bool) -> Standing:
        key = _item(rate).key_for(name, _digest(who))

        def ask(storage: Counters) -> Standing:
            return _asked(storage, rate, name, key, counts=counts)

        found = None if self._shared is None else self._shared.run(ask)
        return found or ask(self._memory)


def refusal(standing: Standing, detail: str = "too many requests; try again later") -> TooManyRequests:
    """The error that says so, with the headers of the standing."""
    error = TooManyRequests(detail)
    error.headers = standing.headers()
    return error


def _asked(storage: Counters, rate: Rate, name: str, key: str, *, counts: bool) -> Standing:
    taken = not counts or storage.acquire_sliding_window_entry(key, rate.times, rate.seconds)
    previous, fading, current, left = storage.get_sliding_window(key, rate.seconds)
    used = previous * fading / rate.seconds + current
    is_allowed = taken and (counts or used <= rate.times - 1)
    return Standing(
        name, rate, is_allowed, max(0, rate.times - math.ceil(used)),
        _wait(rate, previous, fading, current, max(0.0, left - rate.seconds)) if used else 0,
    )  # fmt: skip


def _wait(rate: Rate, previous: int, fading: float, current: int, left: float) -> int:
    """The seconds until one more is allowed than now, or at once where one is; windows fade as they pass."""
    wanted = min(rate.times - 1, max(0, math.ceil(previous * fading / rate.seconds + current) - 1))
    if current <= wanted and previous:
        return max(1, math.ceil(fading - (wanted - current) * rate.seconds / previous))
    return max(1, math.ceil(left + rate.seconds - wanted * rate.seconds / max(current, 1)))


def _digest(who: tuple[str, ...]) -> str:
    """Keys of one short length that tell nobody who it was."""
    return blake2b("\0".join(who).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _item(rate: Rate) -> RateLimitItem:
    from limits import RateLimitItemPerSecond  # the library only where something is counted

    return RateLimitItemPerSecond(rate.times, rate.seconds, "hostwright")


def _memory() -> Counters:
    from host.limiting.memory import BoundedMemory

    return BoundedMemory()
