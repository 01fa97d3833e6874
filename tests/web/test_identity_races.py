"""Sign-ups at the same moment."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.web.identity import IdentitySite, running

AT_ONCE = 8


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url) as found:
        yield found


def registered(site: IdentitySite, bodies: list[dict[str, Any]]) -> list[Any]:
    """The answers to sign-ups that all start together."""
    barrier = Barrier(len(bodies))

    def register(body: dict[str, Any]) -> Any:
        barrier.wait()
        return site.register(**body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(register, bodies))


def test_one_address_is_registered_once(site: IdentitySite) -> None:
    bodies = [{"email": "ann@X.org" if at % 2 else "Ann@x.org"} for at in range(AT_ONCE)]
    answers = registered(site, bodies)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    refused = [answer.json["errors"][0]["pointer"] for answer in answers if answer.status_code == 409]
    assert refused == ["/email"] * (AT_ONCE - 1)


def test_one_username_is_registered_once(site: IdentitySite) -> None:
    answers = registered(site, [{"username": "ann", "email": f"ann{at}@x.org"} for at in range(AT_ONCE)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}


def test_derived_usernames_never_collide(site: IdentitySite) -> None:
    answers = registered(site, [{"email": f"ann@x{at}.org"} for at in range(AT_ONCE)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["username"] for answer in answers}) == AT_ONCE
    numbers = [site.me(answer.json["token"]).json["number"] for answer in answers]
    assert sorted(numbers) == list(range(1, AT_ONCE + 1))
