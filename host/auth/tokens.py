"""Tokens: issued for sessions, and verified into actors. The web layer, sockets and jobs ask `Tokens.actor`.

The signature of a token is checked once and remembered by digest until the token expires; whether its session and account
still count is asked of `states`, whose answers are a few seconds old at most.
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
from host.auth.states import SessionStates
from host.declaration.nodes import Field
from host.fields.kinds import parse_uuid

MOST_TOKENS = 20_000
LONGEST_TOKEN = 8192  # the longest names that an account can have fit
_KEY = Field(type="uuid")


class Verified(NamedTuple):
    """What is remembered of a token whose signature was right."""

    account: str
    session: str
    expires: int


class Refresh(NamedTuple):
    """What a refresh token says."""

    account: str
    session: str
    id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and when it expires."""

    token: str
    expires_at: datetime


class Tokens:
    """The tokens of one app."""

    def __init__(
        self, codec: TokenCodec, states: SessionStates, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._codec, self._states, self._clock = codec, states, clock
        self._recent: Recent[bytes, Verified] = Recent(MOST_TOKENS)

    def issue(self, account: Mapping[str, Any], session: str, seconds: int) -> Issued:
        """A token of a stored account. It carries every form of claim that known clients and libraries read."""
        now = int(self._clock())
        claims = {
            "id": account["hex"], "user_id": account["id"], "username": account["username"],
            "email": account["email"], "role": account["role"], "ver": account["token_version"], "sid": session,
        }  # fmt: skip
        expires = now + seconds
        token = self._codec.encode(account["id"], claims, now, expires)
        return Issued(token, datetime.fromtimestamp(expires, UTC))

    def issue_refresh(self, account: str, session: str, identity: str, expires: datetime) -> str:
        """A refresh token with this id, good until the session ends."""
        claims = {"sid": session, "jti": identity}
        return self._codec.encode(account, claims, int(self._clock()), int(expires.timestamp()), "refresh")

    def actor(self, token: str) -> Actor:
        """Who a token stands for. Raises Unauthenticated when it does not count, or its session no longer does."""
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
        actor = self._states.of(verified.session).actor
        if actor is None or actor.id != verified.account:
            raise refused()
        return actor

    def refresh(self, token: str) -> Refresh:
        """What a refresh token says. Raises Unauthenticated for one that this app did not sign, or that has expired."""
        if len(token) > LONGEST_TOKEN:
            raise refused()
        claims = self._codec.decode(token, self._clock(), "refresh")
        try:
            return Refresh(
                parse_uuid(claims["sub"], _KEY), parse_uuid(claims["sid"], _KEY), str(claims["jti"])
            )
        except (KeyError, ValueError, TypeError):
            raise refused() from None

    def _verified(self, token: str) -> Verified:
        claims = self._codec.decode(token, self._clock())
        try:
            return Verified(
                parse_uuid(claims["sub"], _KEY), parse_uuid(claims["sid"], _KEY), int(claims["exp"])
            )
        except (KeyError, ValueError, TypeError):
            raise refused() from None
