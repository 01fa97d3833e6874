"""Tokens: issued to accounts, and verified into actors. The web layer, sockets and jobs ask `Tokens.actor`.

The signature of a token is checked once and remembered by digest until the token expires; whether its account still counts
is asked of `states`, whose answers are a few seconds old at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from host.actor import Actor
from host.auth.codec import TokenCodec, refused
from host.auth.recent import Recent
from host.auth.states import AccountStates
from host.declaration.nodes import Field
from host.fields.kinds import parse_uuid

MOST_TOKENS = 20_000
LONGEST_TOKEN = 8192  # the longest names that an account can have fit
_KEY = Field(type="uuid")


class Verified(NamedTuple):
    """What is remembered of a token whose signature was right."""

    account: str
    version: int
    expires: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and when it expires."""

    token: str
    expires_at: datetime


class Tokens:
    """The tokens of one app."""

    def __init__(
        self, codec: TokenCodec, states: AccountStates, seconds: int, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._codec, self._states, self._seconds, self._clock = codec, states, seconds, clock
        self._recent: Recent[bytes, Verified] = Recent(MOST_TOKENS)

    def issue(self, account: Mapping[str, Any]) -> Issued:
        """A token for a stored account. It carries every form of claim that known clients and libraries read."""
        now = int(self._clock())
        claims = {
            "id": account["hex"], "user_id": account["id"], "username": account["username"],
            "email": account["email"], "role": account["role"], "ver": account["token_version"],
        }  # fmt: skip
        expires = now + self._seconds
        token = self._codec.encode(account["id"], claims, now, expires)
        return Issued(token, datetime.fromtimestamp(expires, UTC))

    def actor(self, token: str) -> Actor:
        """Who a token stands for. Raises Unauthenticated when it does not count, or its account no longer does."""
        if len(token) > LONGEST_TOKEN:
            raise refused()
        digest = sha256(token.encode(errors="replace")).digest()
        verified = self._recent.get(digest)
        if verified is None:
            verified = self._verified(token)
            self._recent.put(digest, verified)
        if verified.expires <= self._clock():
            self._recent.forget(digest)
            raise refused()
        state = self._states.of(verified.account)
        if state.actor is None or state.token_version != verified.version:
            raise refused()
        return state.actor

    def _verified(self, token: str) -> Verified:
        claims = self._codec.decode(token, self._clock())
        try:
            return Verified(parse_uuid(claims["sub"], _KEY), int(claims["ver"]), claims["exp"])
        except (KeyError, ValueError, TypeError):
            raise refused() from None
