"""Where Redis is, if anywhere: what processes count together, they count there."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Redis."""

    url: str = setting("", "REDIS_URL", secret=True)
