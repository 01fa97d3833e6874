"""Refresh rotation: one winner, a short grace, and the end of a session whose token was copied; on both databases."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier

import pytest

from host.application import load_site
from host.auth.accounts import Accounts
from host.auth.codec import TokenCodec
from host.auth.grants import Grant, Grants, Way
from host.auth.lookup import Row
from host.auth.passwords import Passwords
from host.auth.refresh import GRACE_SECONDS, Rotation
from host.auth.sessions import Visitor
from host.auth.states import SESSION, SessionStates
from host.auth.tokens import Tokens
from host.database import Database
from host.errors import AlreadyRefreshed, HostError, Unauthenticated
from host.service.runtime import Runtime
from host.settings import IdentitySettings
from tests.unit.auth.conftest import SECRET

AT_ONCE = 8


@dataclass
class Identity:
    """The parts of signing in, with a clock that tests move for the grace."""

    runtime: Runtime
    accounts: Accounts
    late: float = 0.0
    grants: Grants = field(init=False)

    def __post_init__(self) -> None:
        sessions = self.accounts.sessions
        rotation = Rotation(sessions, lambda: time.time() + self.late)
        tokens = Tokens(TokenCodec(SECRET), SessionStates(self.runtime))
        self.grants = Grants(tokens, sessions, rotation, IdentitySettings())

    def ann(self) -> Row:
        return self.accounts.sign_up({"username": "ann", "password": "correct horse"})

    def begin(self, account: Row) -> str:
        """The refresh token of a new session."""
        granted = self.grants.begin(account, Way("refresh"), Visitor("a browser", "192.0.2.7"))
        assert granted.refresh_token is not None
        return granted.refresh_token

    def renew(self, token: str) -> str:
        """The next refresh token."""
        renewed = self.grants.renew(token).refresh_token
        assert renewed is not None
        return renewed

    def alive(self, account: Row) -> int:
        """How many sessions still count."""
        return len(self.accounts.sessions.of(account["id"]))


@pytest.fixture
def identity(tmp_path: Path, database_url: str) -> Iterator[Identity]:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    registry = load_site(tmp_path, {}).registry
    database = Database.open(database_url)
    registry.metadata.create_all(database.engine)
    runtime = Runtime.make(registry, database, SECRET)
    yield Identity(runtime, Accounts(runtime, Passwords()))
    database.dispose()


def test_refreshing_gives_another_pair(identity: Identity) -> None:
    first = identity.grants.begin(identity.ann(), Way("refresh"))
    second = identity.grants.renew(first.refresh_token or "")
    assert (second.session, second.ends_at, second.kind) == (first.session, first.ends_at, "refresh")
    assert second.refresh_token not in (None, first.refresh_token)
    assert identity.grants.tokens.actor(second.token).session == first.session


def test_refreshed_tokens_are_short(identity: Identity) -> None:
    granted = identity.grants.begin(identity.ann(), Way("refresh"))
    assert granted.expires_at.timestamp() - time.time() == pytest.approx(900, abs=5)
    assert granted.ends_at.timestamp() - time.time() == pytest.approx(30 * 86400, abs=5)


def test_plain_token_ends_with_its_session(identity: Identity) -> None:
    granted = identity.grants.begin(identity.ann())
    assert granted.refresh_token is None
    assert granted.ends_at.timestamp() == pytest.approx(granted.expires_at.timestamp(), abs=2)


def test_only_a_digest_is_stored(identity: Identity) -> None:
    ann = identity.ann()
    token = identity.renew(identity.begin(ann))
    identity_of_token = identity.grants.tokens.refresh(token).id
    with identity.runtime.reading(identity.grants.tokens.actor(identity.grants.renew(token).token)) as ctx:
        stored = repr(ctx.execute(ctx.table(SESSION).select()).all())
    assert identity_of_token not in stored


def test_repeat_within_the_grace_is_a_conflict(identity: Identity) -> None:
    ann = identity.ann()
    first = identity.begin(ann)
    second = identity.renew(first)
    with pytest.raises(AlreadyRefreshed, match="retry with the new"):
        identity.renew(first)
    assert identity.alive(ann) == 1
    third = identity.renew(second)
    with pytest.raises(AlreadyRefreshed):
        identity.renew(first)  # a third tab, two exchanges behind
    identity.renew(third)


def test_late_repeat_ends_the_session(identity: Identity) -> None:
    ann = identity.ann()
    first = identity.begin(ann)
    other = identity.begin(ann)
    second = identity.renew(first)
    identity.late = GRACE_SECONDS + 1
    with pytest.raises(Unauthenticated):
        identity.renew(first)
    with pytest.raises(Unauthenticated):
        identity.renew(second)
    assert identity.alive(ann) == 1
    identity.renew(other)


def test_reuse_ends_access_tokens_too(identity: Identity) -> None:
    ann = identity.ann()
    first = identity.grants.begin(ann, Way("refresh"))
    second = identity.grants.renew(first.refresh_token or "")
    identity.late = GRACE_SECONDS + 1
    with pytest.raises(Unauthenticated):
        identity.renew(first.refresh_token or "")
    with pytest.raises(Unauthenticated):
        identity.grants.tokens.actor(second.token)


def test_racing_refreshes_have_one_winner(identity: Identity) -> None:
    ann = identity.ann()
    first = identity.begin(ann)
    barrier = Barrier(AT_ONCE)

    def race(_: int) -> Grant | HostError:
        barrier.wait()
        try:
            return identity.grants.renew(first)
        except HostError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(race, range(AT_ONCE)))
    assert Counter(type(it) for it in outcomes) == {Grant: 1, AlreadyRefreshed: AT_ONCE - 1}
    assert identity.alive(ann) == 1
    winner = next(it for it in outcomes if isinstance(it, Grant))
    identity.renew(winner.refresh_token or "")
    identity.late = GRACE_SECONDS + 1
    with pytest.raises(Unauthenticated):
        identity.renew(first)
    assert identity.alive(ann) == 0


@pytest.mark.parametrize("change", ["deactivate", "password", "revoke"])
def test_ended_session_is_not_refreshed(identity: Identity, change: str) -> None:
    ann = identity.ann()
    token = identity.begin(ann)
    if change == "deactivate":
        identity.accounts.set_active(ann, active=False)
    elif change == "password":
        identity.accounts.set_password(ann, "another horse")
    else:
        identity.accounts.sessions.end_all(ann["id"])
    with pytest.raises(Unauthenticated):
        identity.renew(token)


def test_access_token_is_no_refresh_token(identity: Identity) -> None:
    granted = identity.grants.begin(identity.ann(), Way("refresh"))
    for token in (granted.token, granted.token[:-4] + "AAAA", "", "x" * 9000):
        with pytest.raises(Unauthenticated):
            identity.renew(token)
    with pytest.raises(Unauthenticated):
        identity.grants.tokens.actor(granted.refresh_token or "")


def test_expired_sessions_are_cleared_at_sign_in(identity: Identity) -> None:
    ann = identity.ann()
    identity.grants.begin(ann, Way(seconds=3600))
    with identity.runtime.writing(identity.grants.tokens.actor(identity.grants.begin(ann).token)) as ctx:
        table = ctx.table(SESSION)
        past = ctx.now.replace(year=2020)
        ctx.execute(table.update().values(expires_at=past))
    identity.begin(ann)
    with identity.runtime.reading(ctx.actor) as ctx:
        assert len(ctx.execute(table.select()).all()) == 1
    assert identity.alive(ann) == 1
