"""Settings out of environment variables: what is read, and what is said of a wrong one."""

from __future__ import annotations

import re
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


def test_secret_comes_out_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 40 + "\n")
    path.chmod(0o600)
    assert read_settings(tmp_path, {"HOSTWRIGHT_SECRET_FILE": str(path)}).secret == "s" * 40


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 40)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        read_settings(tmp_path, {"HOSTWRIGHT_SECRET_FILE": str(path)})
    assert "sss" not in caught.value.detail
    (tmp_path / "var").mkdir()
    path.rename(tmp_path / "var" / "secret")
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_settings(tmp_path, {}, is_embedded=True)


def test_missing_secret_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_settings(tmp_path, {"HOSTWRIGHT_SECRET_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"CORS_ORIGINS": "*", "CORS_CREDENTIALS": "on"}, "for every origin there is"),
        ({"CORS_CREDENTIALS": "on"}, "names nobody"),
        ({"HTTPS": "off", "HSTS_SECONDS": "60"}, "HSTS_SECONDS promises"),
        ({"PUBLIC_URL": "http://api.example.org"}, "make it https, or set HOSTWRIGHT_HTTPS=off"),
        ({"PUBLIC_URL": "http://api.example.org", "HTTPS": "off", "COOKIES": "on"}, "COOKIES is on"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        read_settings(tmp_path, {**SECRET, **{f"HOSTWRIGHT_{name}": value for name, value in given.items()}})


@pytest.mark.parametrize(
    "given",
    [
        {"PUBLIC_URL": "http://127.0.0.1:8000"},
        {"PUBLIC_URL": "http://api.example.org", "HTTPS": "off", "HSTS_SECONDS": "off"},
        {"PUBLIC_URL": "https://api.example.org", "COOKIES": "on", "CORS_ORIGINS": "https://a.example", "CORS_CREDENTIALS": "on"},
        {"CORS_ORIGINS": "*"},
    ],
)  # fmt: skip
def test_agreeing_settings_are_taken(tmp_path: Path, given: dict[str, str]) -> None:
    read_settings(tmp_path, {**SECRET, **{f"HOSTWRIGHT_{name}": value for name, value in given.items()}})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PROXIES", "10.0.0.0/33", "networks and addresses"),
        ("PUBLIC_URL", "https://example.org/app", "without a path"),
        ("PUBLIC_URL", "ftp://example.org", "without a path"),
        ("PUBLIC_URL", "https://user@example.org", "without a path"),
        ("HOSTS", "example.org:8000", "host names without ports"),
        ("HOSTS", "*.example.org", "host names without ports"),
        ("CORS_ORIGINS", "https://a.example/", "origins without a path"),
        ("CORS_ORIGINS", "null", "origins without a path"),
        ("CORS_ORIGINS", "*, https://a.example", "* alone"),
        ("ADDRESS_RATE", "10", "a rate, as 10/minute"),
        ("HSTS_SECONDS", "0", "or off"),
    ],
)
def test_wrong_protection_says_what_is_wanted(tmp_path: Path, name: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(wanted)):
        read_settings(tmp_path, {**SECRET, f"HOSTWRIGHT_{name}": value})
