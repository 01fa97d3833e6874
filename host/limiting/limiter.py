"""The limiter: counts in Redis where there is one, else (or while Redis is away) in the memory of the process.

It never fails and never makes a request wait: Redis has a fraction of a second to answer, and after a failure it is left alone
until a thread in the background has reached it again. Made once by `application`, used by `auth` and `web`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from host.errors import TooManyRequests
from host.limiting.memory import BoundedMemory
from host.limiting.rates import Rate

if TYPE_CHECKING:
    from host.limiting.shared import Shared


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

    def __init__(self, shared: Shared | None = None, memory: BoundedMemory | None = None) -> None:
        self._shared = shared
        self._memory = BoundedMemory() if memory is None else memory

    @classmethod
    def open(cls, redis_url: str = "", prefix: str = "hostwright") -> Limiter:
        """In Redis when there is a URL, else in memory. Connects to nothing yet."""
        if not redis_url:
            return cls()
        from host.limiting.shared import Shared  # Redis only where it is configured

        return cls(Shared(redis_url, prefix=prefix))

    def take(self, rate: Rate, name: str, *who: str) -> Standing:
        """Count once, unless that would be over the rate; the standing afterwards."""
        return self._standing(rate, name, who, takes=True)

    def look(self, rate: Rate, name: str, *who: str) -> Standing:
        """The standing, without counting."""
        return self._standing(rate, name, who, takes=False)

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
        key = _key(rate, name, who)
        if self._shared is not None:
            self._shared.clear(key)
        self._memory.clear(key)

    def prepare(self) -> None:
        """Load what counting needs, so that no request waits for it; connects to nothing yet."""
        if self._shared is not None:
            self._shared.prepare()

    def close(self) -> None:
        """Give the connections back, e.g. at the end of a test."""
        if self._shared is not None:
            self._shared.close()

    def _standing(self, rate: Rate, name: str, who: tuple[str, ...], *, takes: bool) -> Standing:
        key, found = _key(rate, name, who), None
        if self._shared is not None:
            found = self._shared.count(key, rate.times, rate.seconds, takes=takes)
        if found is None:
            found = self._memory.count(key, rate.times, rate.seconds, takes=takes)
        is_free, previous, fading, current, left = found
        used = previous * fading / rate.seconds + current
        wait = _wait(rate, previous, fading, current, left) if used else 0
        return Standing(name, rate, is_free, max(0, rate.times - math.ceil(used)), wait)


def refusal(standing: Standing, detail: str = "too many requests; try again later") -> TooManyRequests:
    """The error that says so, with the headers of the standing."""
    error = TooManyRequests(detail)
    error.headers = standing.headers()
    return error


def _wait(rate: Rate, previous: int, fading: float, current: int, left: float) -> int:
    """The seconds until one more is allowed than now, or at once where one is; windows fade as they pass."""
    wanted = min(rate.times - 1, max(0, math.ceil(previous * fading / rate.seconds + current) - 1))
    if current <= wanted and previous:
        return max(1, math.ceil(fading - (wanted - current) * rate.seconds / previous))
    return max(1, math.ceil(left + rate.seconds - wanted * rate.seconds / max(current, 1)))


def _key(rate: Rate, name: str, who: tuple[str, ...]) -> str:
    """Short, and telling nobody who it was."""
    digest = blake2b("\0".join(who).encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"{name}/{rate.times}/{rate.seconds}/{digest}"
