"""Accounts: signing up and in as other code sees it."""

import pytest
from argon2 import PasswordHasher

from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.lookup import actor_named
from host.errors import Duplicate, Invalid, NotFound, Unauthenticated
from host.service.runtime import Runtime

PASSWORD = "correct horse"


def test_first_account_is_no_administrator(accounts: Accounts) -> None:
    row = accounts.sign_up({"username": "first", "password": PASSWORD})
    assert (row["role"], row["number"], row["active"], row["email_verified"]) == ("user", 1, True, False)
    assert len(row["hex"]) == 24


def test_taken_derived_username_gets_an_ending(accounts: Accounts) -> None:
    rows = [accounts.sign_up({"email": f"ann@{host}.org", "password": PASSWORD}) for host in "abc"]
    assert rows[0]["username"] == "ann"
    assert all(row["username"].startswith("ann-") for row in rows[1:])
    assert [row["number"] for row in rows] == [1, 2, 3]


def test_duplicate_points_at_what_was_sent(accounts: Accounts) -> None:
    accounts.sign_up({"email": "ann@x.org", "password": PASSWORD})
    with pytest.raises(Duplicate) as by_email:
        accounts.sign_up({"email": "ANN@x.org", "password": PASSWORD})
    with pytest.raises(Duplicate) as by_name:
        accounts.sign_up({"username": "ann@X.org", "password": PASSWORD})
    assert by_email.value.errors[0].pointer == "/email"
    assert by_name.value.errors[0].pointer == "/username"


@pytest.mark.parametrize("key", ["ann", "ANN", "ann@x.org", "Ann@X.Org"])
def test_username_falls_back_to_email(accounts: Accounts, key: str) -> None:
    row = accounts.sign_up({"username": "ann", "email": "Ann@x.org", "password": PASSWORD})
    assert accounts.sign_in(username=key, email=None, password=PASSWORD)["id"] == row["id"]


def test_case_folds_beyond_ascii(accounts: Accounts) -> None:
    accounts.sign_up({"username": "ÉMILE", "password": PASSWORD})
    assert accounts.sign_in(username="émile", email=None, password=PASSWORD)["username"] == "ÉMILE"


def test_email_is_no_username(accounts: Accounts) -> None:
    accounts.sign_up({"username": "ann", "email": "ann@x.org", "password": PASSWORD})
    with pytest.raises(Unauthenticated):
        accounts.sign_in(username=None, email="ann", password=PASSWORD)


def test_account_without_password_cannot_sign_in(accounts: Accounts, runtime: Runtime) -> None:
    with runtime.writing(SYSTEM) as ctx:
        ctx.records("host.account").create({"username": "robot", "hex": "0" * 24})
    with pytest.raises(Unauthenticated):
        accounts.sign_in(username="robot", email=None, password=PASSWORD)


def test_weak_hash_is_renewed_at_sign_in(accounts: Accounts, runtime: Runtime) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with runtime.writing(SYSTEM) as ctx:
        ctx.records("host.account").create({"username": "old", "hex": "0" * 24, "password": weak})
    accounts.sign_in(username="old", email=None, password=PASSWORD)
    renewed = accounts.named("old")
    assert renewed["password"] != weak
    assert renewed["token_version"] == 1
    assert accounts.sign_in(username="old", email=None, password=PASSWORD)["password"] == renewed["password"]


def test_operator_names_accounts_in_any_way(accounts: Accounts) -> None:
    row = accounts.sign_up({"username": "ann", "email": "a@x.org", "password": PASSWORD})
    assert {accounts.named(text)["id"] for text in ("ann", "a@x.org", row["id"], row["id"].upper())} == {
        row["id"]
    }
    with pytest.raises(NotFound, match="there is no account bob"):
        accounts.named("bob")


def test_named_actor_has_no_secret(accounts: Accounts, runtime: Runtime) -> None:
    accounts.sign_up({"username": "ann", "password": PASSWORD}, role="admin")
    with runtime.reading(SYSTEM) as ctx:
        actor = actor_named(ctx, "ann")
    assert actor.roles == {"admin"}
    assert "password" not in actor.account


@pytest.mark.parametrize("role", ["", "Admin", "two words", "x" * 51])
def test_odd_role_is_refused(accounts: Accounts, role: str) -> None:
    row = accounts.sign_up({"username": "ann", "password": PASSWORD})
    with pytest.raises(Invalid):
        accounts.set_role(row, role)


@pytest.mark.parametrize("account", ["", "scanner", "00000000-0000-7000-8000-000000000001"])
def test_unknown_id_is_not_found(accounts: Accounts, account: str) -> None:
    with pytest.raises(NotFound):
        accounts.get(account)
