"""What the operator decides about repeated requests. Times in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class IdempotencySettings:
    """Requests with an `Idempotency-Key`."""

    keep_seconds: int = setting(24 * 3600, "IDEMPOTENCY_SECONDS")  # an answer is given again
    lease_seconds: int = setting(60, "IDEMPOTENCY_LEASE_SECONDS")  # until a request is taken for dead
    answer_limit: int = setting(
        256 << 10, "IDEMPOTENCY_ANSWER_LIMIT", kind="size"
    )  # a longer one is not kept
