"""User names and addresses of new accounts."""

from itertools import islice
from typing import Any

import pytest

from host.auth.names import full_name, names_of, usernames_for
from host.errors import Invalid


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"username": "ann"}, {"username": "ann"}),
        ({"email": "ann@x.org"}, {"email": "ann@x.org"}),
        ({"username": " ann ", "email": ""}, {"username": "ann"}),
        ({"username": None, "email": "ann@x.org"}, {"email": "ann@x.org"}),
        ({"username": "Ann@X.org", "email": "ann@x.org"}, {"username": "Ann@X.org", "email": "ann@x.org"}),
        ({"username": "ann@x.org"}, {"username": "ann@x.org", "email": "ann@x.org"}),
        ({"username": "\uff41nn"}, {"username": "ann"}),
    ],
)
def test_names_are_taken_as_given(values: dict[str, Any], names: dict[str, str]) -> None:
    assert names_of(values) == names


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({}, "/username"),
        ({"username": "  "}, "/username"),
        ({"username": "bob@x.org", "email": "ann@x.org"}, "/username"),
        ({"username": "not@an@address"}, "/username"),
        ({"username": "ann", "email": "nowhere"}, "/email"),
        ({"email": "a" * 250 + "@x.org"}, "/email"),
        ({"username": "a" * 151}, "/username"),
        ({"username": "an\u200bn"}, "/username"),
        ({"username": "ann\nbob"}, "/username"),
    ],
)
def test_wrong_name_is_refused(values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        names_of(values)
    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_username_comes_from_the_address() -> None:
    first, second, third = islice(usernames_for("ann.b+c@x.org"), 3)
    assert first == "ann.b+c"
    assert second.startswith("ann.b+c-")
    assert len(third) > len(second)


def test_derived_username_always_fits() -> None:
    assert all(0 < len(name) <= 150 for name in usernames_for("a" * 200 + "@x.org"))
    assert next(usernames_for("\u200b@x.org")) == "user"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"name": "Ann"}, "Ann"),
        ({"full_name": "Ann B"}, "Ann B"),
        ({"first_name": "Ann", "last_name": "B"}, "Ann B"),
        ({"first_name": "Ann", "last_name": None}, "Ann"),
        ({}, None),
    ],
)
def test_full_name_is_put_together(values: dict[str, Any], name: str | None) -> None:
    assert full_name(values) == name
