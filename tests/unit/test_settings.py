"""Settings out of environment variables: what is read, and what is said of a wrong one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from host.errors import ConfigurationError
from host.settings import read_settings
from host.settings.reading import read_group, setting

SECRET = {"HOSTWRIGHT_SECRET": "s" * 40}


@dataclass(frozen=True, kw_only=True)
class Kitchen:
    """A group with one setting of each kind."""

    is_open: bool = setting(True, "OPEN")
    seats: int = setting(10, "SEATS")
    store: int = setting(1024, "STORE", kind="size")
    level: Literal["low", "high"] = setting("low", "LEVEL")
    dishes: tuple[str, ...] = setting((), "DISHES")
    cook: str | None = setting(None, "COOK")
    key: str = setting("", "KEY", secret=True)


def test_every_kind_is_read() -> None:
    given = {
        "OPEN": "off",
        "SEATS": "4",
        "STORE": "10MB",
        "LEVEL": "high",
        "DISHES": "soup, rice,",
        "COOK": "Ann",
    }
    kitchen = read_group(Kitchen, {f"HOSTWRIGHT_{name}": value for name, value in given.items()})
    assert kitchen == Kitchen(
        is_open=False, seats=4, store=10 << 20, level="high", dishes=("soup", "rice"), cook="Ann"
    )


def test_empty_variable_counts_as_none() -> None:
    assert read_group(Kitchen, {"HOSTWRIGHT_SEATS": "", "HOSTWRIGHT_COOK": ""}) == Kitchen()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OPEN", "yes", "on or off"),
        ("SEATS", "0", "a whole number above 0"),
        ("SEATS", "²", "a whole number above 0"),
        ("STORE", "10 MB", "a number of bytes above 0, also written as 10MB"),
        ("LEVEL", "middle", "low or high"),
    ],
)
def test_wrong_value_names_its_variable(name: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_group(Kitchen, {f"HOSTWRIGHT_{name}": value})
    assert caught.value.detail == f"HOSTWRIGHT_{name} is {value!r}; it has to be {wanted}"


def test_secret_is_never_shown(tmp_path: Path) -> None:
    assert "sss" not in repr(read_settings(tmp_path, SECRET))


def test_server_wants_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="HOSTWRIGHT_SECRET"):
        read_settings(tmp_path, {"HOSTWRIGHT_SECRET": "short"})


def test_embedded_run_keeps_its_secret(tmp_path: Path) -> None:
    first = read_settings(tmp_path, {}, is_embedded=True)
    assert read_settings(tmp_path, {}, is_embedded=True).secret == first.secret
    assert (tmp_path / "var" / "secret").stat().st_mode & 0o777 == 0o600
