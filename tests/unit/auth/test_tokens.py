"""Tokens: which count, until when, and how soon one stops."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from flask_jwt_extended import JWTManager, create_refresh_token

from host.auth.accounts import Accounts
from host.auth.codec import TokenCodec
from host.auth.lookup import Row
from host.auth.sessions import Visitor
from host.auth.states import SessionStates
from host.auth.tokens import Issued, Tokens
from host.errors import Unauthenticated
from host.service.runtime import Runtime
from tests.unit.auth.conftest import SECRET

Issue = Callable[[Row], Issued]


@dataclass
class Clock:
    """A clock that only tests move."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(runtime: Runtime, clock: Clock) -> Tokens:
    return Tokens(TokenCodec(SECRET), SessionStates(runtime, clock), clock)


@pytest.fixture
def issue(tokens: Tokens, accounts: Accounts) -> Issue:
    """A token of a new session."""

    def issued(account: Row) -> Issued:
        session, _ = accounts.sessions.begin(account, "token", 3600, Visitor())
        return tokens.issue(account, session, 3600)

    return issued


@pytest.fixture
def ann(accounts: Accounts) -> Row:
    return accounts.sign_up({"username": "ann", "email": "ann@x.org", "password": "correct horse"})


def signed(claims: Mapping[str, Any], secret: str = SECRET, **options: Any) -> str:
    return jwt.encode(dict(claims), secret, **{"algorithm": "HS256", **options})


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    return claims


def assert_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        tokens.actor(token)
    assert 'error="invalid_token"' in caught.value.headers["WWW-Authenticate"]


def test_token_stands_for_its_account(tokens: Tokens, issue: Issue, ann: Row) -> None:
    actor = tokens.actor(issue(ann).token)
    assert (actor.id, actor.number, actor.hex) == (ann["id"], 1, ann["hex"])
    assert actor.roles == {"user"}
    assert actor.account["email"] == "ann@x.org"
    assert "password" not in actor.account


def test_token_carries_every_known_claim(tokens: Tokens, issue: Issue, ann: Row, clock: Clock) -> None:
    issued = issue(ann)
    claims = claims_of(issued.token)
    assert claims.pop("jti")
    assert claims == {
        "sub": ann["id"], "user_id": ann["id"], "id": ann["hex"], "username": "ann", "email": "ann@x.org",
        "role": "user", "ver": 1, "sid": claims["sid"],
        "iat": int(clock.now), "exp": int(clock.now) + 3600, "type": "access", "fresh": False,
    }  # fmt: skip
    assert issued.expires_at.timestamp() == claims["exp"]


def test_expired_token_is_refused(tokens: Tokens, issue: Issue, ann: Row, clock: Clock) -> None:
    token = issue(ann).token
    tokens.actor(token)
    clock.now += 3600
    assert_refused(tokens, token)


def test_expired_token_is_refused_unseen(tokens: Tokens, issue: Issue, ann: Row, clock: Clock) -> None:
    claims = claims_of(issue(ann).token)
    assert_refused(tokens, signed({**claims, "exp": int(clock.now) - 1}))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "refresh"},
        {"sub": "42"},
        {"sub": None},
        {"sid": "x"},
        {"sid": None},
        {"sid": "00000000-0000-7000-8000-000000000001"},
        {"sub": "00000000-0000-7000-8000-000000000001"},
        {"exp": None},
        {"exp": 2e20},
        {"iat": 2**40},
    ],
)
def test_wrong_claims_are_refused(tokens: Tokens, issue: Issue, ann: Row, change: dict[str, Any]) -> None:
    claims = {**claims_of(issue(ann).token), **change}
    assert_refused(tokens, signed({key: value for key, value in claims.items() if value is not None}))


def test_real_refresh_token_is_refused(tokens: Tokens, ann: Row) -> None:
    app = Flask("other")
    app.config["JWT_SECRET_KEY"] = SECRET
    JWTManager(app)
    with app.app_context():
        assert_refused(tokens, create_refresh_token(ann["id"], additional_claims={"ver": 1}))


def test_tampered_token_is_refused(tokens: Tokens, issue: Issue, ann: Row) -> None:
    head, body, signature = issue(ann).token.split(".")
    other = signed({**claims_of(f"{head}.{body}.{signature}"), "role": "admin"}, "x" * 40).split(".")[1]
    assert_refused(tokens, f"{head}.{other}.{signature}")
    assert_refused(tokens, f"{head}.{body}.{signature[:-4]}AAAA")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_other_algorithm_is_refused(tokens: Tokens, issue: Issue, ann: Row, algorithm: str) -> None:
    claims = claims_of(issue(ann).token)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # the key is short for SHA-512
        token = signed(claims, "" if algorithm == "none" else SECRET, algorithm=algorithm)
        assert_refused(tokens, token)


def test_foreign_token_is_refused(tokens: Tokens, issue: Issue, ann: Row) -> None:
    assert_refused(tokens, signed(claims_of(issue(ann).token), "another-secret-" * 3))


@pytest.mark.parametrize(
    "token",
    [
        "null",
        "a.b.c",
        "é",
        "\ud800",
        "W1tbW1tb." * 3,
        "x" * 9000,
        "W1tb" * 1500 + ".e30.AA",
        "..",
        "e30.e30.e30",
    ],
)
def test_nonsense_is_refused(tokens: Tokens, token: str) -> None:
    assert_refused(tokens, token)


def test_deactivated_account_stops_within_seconds(
    tokens: Tokens, issue: Issue, accounts: Accounts, ann: Row, clock: Clock
) -> None:  # fmt: skip
    token = issue(ann).token
    tokens.actor(token)
    accounts.set_active(ann, active=False)
    clock.now += 5
    assert_refused(tokens, token)


def test_other_password_ends_old_tokens(
    tokens: Tokens, issue: Issue, accounts: Accounts, ann: Row, clock: Clock
) -> None:
    old = issue(ann).token
    tokens.actor(old)
    accounts.set_password(ann, "another horse")
    clock.now += 5
    assert_refused(tokens, old)
    assert tokens.actor(issue(accounts.named("ann")).token).id == ann["id"]


def test_reactivated_account_has_no_old_tokens(
    tokens: Tokens, issue: Issue, accounts: Accounts, ann: Row, clock: Clock
) -> None:  # fmt: skip
    token = issue(ann).token
    accounts.set_active(ann, active=False)
    accounts.set_active(ann, active=True)
    assert_refused(tokens, token)


def test_deleted_account_stops_within_seconds(
    tokens: Tokens, issue: Issue, runtime: Runtime, ann: Row, clock: Clock
) -> None:  # fmt: skip
    token = issue(ann).token
    tokens.actor(token)
    with runtime.writing(runtime.context(tokens.actor(token)).as_system().actor) as ctx:
        ctx.records("host.account").delete(ann["id"])
    clock.now += 5
    assert_refused(tokens, token)


def test_other_role_counts_within_seconds(
    tokens: Tokens, issue: Issue, accounts: Accounts, ann: Row, clock: Clock
) -> None:
    token = issue(ann).token
    tokens.actor(token)
    accounts.set_role(ann, "admin")
    clock.now += 5
    assert tokens.actor(token).roles == {"admin"}


def test_known_token_asks_no_database(tokens: Tokens, issue: Issue, runtime: Runtime, ann: Row) -> None:
    token = issue(ann).token
    first = tokens.actor(token)
    runtime.database.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.database, "reading", lambda: pytest.fail("a query was made"))
        assert tokens.actor(token) is first


def test_known_token_costs_microseconds(tokens: Tokens, issue: Issue, ann: Row) -> None:
    token = issue(ann).token
    tokens.actor(token)
    times = []
    for _ in range(5):
        started = time.thread_time()
        for _ in range(1000):
            tokens.actor(token)
        times.append(time.thread_time() - started)
    assert min(times) / 1000 < 15e-6


def test_use_of_a_session_is_noted_coarsely(
    tokens: Tokens, issue: Issue, accounts: Accounts, runtime: Runtime, ann: Row, clock: Clock
) -> None:  # fmt: skip
    token = issue(ann).token
    began = accounts.sessions.of(ann["id"])[0]["used_at"]
    tokens.actor(token)
    assert accounts.sessions.of(ann["id"])[0]["used_at"] == began
    with runtime.database.writing() as connection:
        table = runtime.registry.model("host.session").table
        connection.execute(table.update().values(used_at=began - timedelta(minutes=11)))
    clock.now += 5
    tokens.actor(token)
    assert accounts.sessions.of(ann["id"])[0]["used_at"] >= began
