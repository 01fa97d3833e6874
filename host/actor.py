"""Who asks: the one record of identity that rules, services, jobs and sockets see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """An account, the system itself, or nobody (`id` None). `account` holds the account's declared fields by name."""

    id: str | None = None  # the account's UUID, canonical text
    number: int | None = None
    hex: str | None = None
    roles: frozenset[str] = frozenset()
    account: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_system: bool = False  # jobs and commands that run as the host: every rule holds
    session: str | None = field(default=None, compare=False)  # the sign-in that a token or cookie stands for
    api_key: str | None = field(default=None, compare=False)  # the key that a machine uses
    scopes: tuple[str, ...] | None = field(
        default=None, compare=False
    )  # of an API key; None: whatever the account may

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""
        return self.id is not None

    def key(self, by: str) -> str | int | None:
        """The account's key in one of its forms: `id`, `number` or `hex`."""
        return {"id": self.id, "number": self.number, "hex": self.hex}[by]


ANONYMOUS = Actor()
SYSTEM = Actor(is_system=True)
