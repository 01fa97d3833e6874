"""Where Redis is, if anywhere: what processes count together, they count there, and workers are handed their jobs by it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from host.settings.reading import Refused, setting


def _prefix(text: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text) is None:
        raise Refused("up to 40 lower-case letters, digits, - and _")
    return text


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Redis."""

    url: str = setting("", "REDIS_URL", secret=True)
    prefix: str = setting("hostwright", "REDIS_PREFIX", parse=_prefix)  # of its keys: two sites may share one
