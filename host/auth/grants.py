"""What a sign-in hands out: a session, an access token, and a refresh token where the client says that it refreshes.

The one door to a new sign-in, however somebody proved who they are: the web layer calls it for passwords, and so does
whatever else finds an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from host.auth.lookup import Row
from host.auth.refresh import Rotation, digest_of, new_identity
from host.auth.sessions import NOWHERE, SessionKind, Sessions, Visitor
from host.auth.tokens import Tokens
from host.errors import UnverifiedAddress
from host.settings import IdentitySettings


@dataclass(frozen=True, slots=True)
class Way:
    """How a client wants to go on: with one token, refreshing, or by cookies. `seconds` is a token's own life."""

    kind: SessionKind = "token"
    seconds: int | None = None

    @property
    def refreshes(self) -> bool:
        """Whether short tokens are exchanged; a life of its own is not short."""
        return self.kind == "refresh" or (self.kind == "cookie" and self.seconds is None)


ONE_TOKEN = Way()


@dataclass(frozen=True, slots=True)
class Grant:
    """What has been handed out to an account."""

    account: Row
    session: str
    token: str
    expires_at: datetime
    ends_at: datetime  # the session, whatever is refreshed
    refresh_token: str | None = None
    kind: str = "token"


@dataclass(frozen=True, eq=False)
class Grants:
    """Begins sessions and goes on with them."""

    tokens: Tokens
    sessions: Sessions
    rotation: Rotation
    settings: IdentitySettings
    verified_only: bool = False  # an account has to confirm its address first

    def begin(self, account: Row, way: Way = ONE_TOKEN, visitor: Visitor = NOWHERE) -> Grant:
        """Sign an account in, whose credentials have been checked. Raises UnverifiedAddress, where that counts."""
        if self.verified_only and not account["email_verified"]:
            raise UnverifiedAddress("confirm your address first, by the link in the mail to it")
        if not way.refreshes:
            seconds = way.seconds or self.settings.token_seconds
            session, ends = self.sessions.begin(account, way.kind, seconds, visitor)
            issued = self.tokens.issue(account, session, seconds)
            return Grant(account, session, issued.token, issued.expires_at, ends, kind=way.kind)
        identity = new_identity()
        session, ends = self.sessions.begin(
            account, way.kind, self.settings.session_seconds, visitor, digest_of(identity)
        )
        return self._granted(account, session, identity, ends, way.kind)

    def renew(self, refresh_token: str) -> Grant:
        """Exchange a refresh token. Raises AlreadyRefreshed for a repeat, or Unauthenticated for one that is dead."""
        rotated = self.rotation.rotate(self.tokens.refresh(refresh_token))
        return self._granted(
            rotated.account, rotated.session, rotated.identity, rotated.ends_at, rotated.kind
        )

    def _granted(self, account: Row, session: str, identity: str, ends: datetime, kind: str) -> Grant:
        issued = self.tokens.issue(account, session, self.settings.access_seconds)
        refresh = self.tokens.issue_refresh(account["id"], session, identity, ends)
        return Grant(account, session, issued.token, issued.expires_at, ends, refresh, kind)
