"""Events: facts in the past tense about rows. What one is, and what of a write it tells."""

from host.events.event import Event

__all__ = ["Event"]
