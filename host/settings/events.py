"""What the operator decides about events and webhooks."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class EventSettings:
    """How long events are kept, and where webhooks may lead. Times in seconds."""

    days: int = setting(30, "EVENT_DAYS")
    webhooks_private: bool = setting(False, "WEBHOOKS_PRIVATE")  # also to one's own network, and without TLS
    webhook_seconds: int = setting(10, "WEBHOOK_SECONDS")
    webhook_failures: int = setting(50, "WEBHOOK_FAILURES")  # in a row, after which nothing is sent any more
