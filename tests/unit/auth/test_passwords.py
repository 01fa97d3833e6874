"""Passwords: what is taken, what verifies, and what an attacker can measure."""

import threading
import time
from pathlib import Path

import pytest
import yaml
from argon2 import PasswordHasher

from host.auth import passwords as module
from host.auth.passwords import LONGEST, SHORTEST, Passwords
from host.errors import Unavailable


def test_password_verifies_against_hash() -> None:
    passwords = Passwords()
    stored = passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify("correct horse", stored)
    assert not passwords.verify("correct horsf", stored)


def test_unknown_account_never_verifies() -> None:
    assert not Passwords().verify("anything at all", None)


def test_unknown_account_costs_the_same() -> None:
    passwords = Passwords()
    stored = passwords.hash("correct horse")

    def best(known: str | None) -> float:
        times = []
        for _ in range(5):
            started = time.thread_time()
            passwords.verify("wrong horse", known)
            times.append(time.thread_time() - started)
        return min(times)

    assert 0.5 < best(None) / best(stored) < 2


def test_composed_letters_are_the_same() -> None:
    passwords = Passwords()
    assert passwords.verify("re\u0301sume\u0301!", passwords.hash("r\u00e9sum\u00e9!"))


def test_long_password_is_not_cut() -> None:
    passwords = Passwords()
    stored = passwords.hash("x" * 200)
    assert passwords.verify("x" * 200, stored)
    assert not passwords.verify("x" * 199 + "y", stored)


@pytest.mark.parametrize("stored", ["", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$broken", "plain"])
def test_broken_hash_never_verifies(stored: str) -> None:
    assert not Passwords().verify("correct horse", stored)


def test_hash_of_other_strength_is_outdated() -> None:
    passwords = Passwords()
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("correct horse")
    assert passwords.verify("correct horse", weak)
    assert passwords.is_outdated(weak)
    assert not passwords.is_outdated(passwords.hash("correct horse"))


def test_verifications_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.01)
    passwords = Passwords(parallel=1)
    with passwords._slot(), pytest.raises(Unavailable):
        passwords.hash("correct horse")
    assert passwords.hash("correct horse")


def test_many_threads_all_get_through() -> None:
    passwords = Passwords(parallel=2)
    stored = passwords.hash("correct horse")
    right: list[bool] = []
    threads = [
        threading.Thread(target=lambda: right.append(passwords.verify("correct horse", stored)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 6


def test_schema_declares_the_same_lengths(checkout: Path) -> None:
    declared = yaml.safe_load((checkout / "host/resources/account.yaml").read_text())
    password = declared["types"]["sign_up"]["fields"]["password"]
    assert (password["min"], password["max"]) == (SHORTEST, LONGEST)
