"""What the operator decides about protection: rates, HTTPS, other origins, and how long things may take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from host.limiting import Rate, parse_rate
from host.settings.reading import Refused, setting

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def rate(text: str) -> Rate:
    """A rate."""
    try:
        return parse_rate(text)
    except ValueError as error:
        raise Refused(str(error)) from None


def origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them, or `*`."""
    found = tuple(word.strip().lower() for word in text.split(",") if word.strip())
    if found != ("*",) and not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise Refused("origins without a path, as https://app.example.org, or * alone")
    return found


def seconds_or_off(text: str) -> int:
    """A number of seconds; 0 for `off`."""
    if text == "off":
        return 0
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise Refused("a whole number of seconds above 0, or off")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class ProtectionSettings:
    """Protection. What is None depends on whether the site is served or run embedded."""

    limits: bool | None = setting(None, "LIMITS")
    address_rate: Rate | None = setting(None, "ADDRESS_RATE", parse=rate)
    account_rate: Rate | None = setting(None, "ACCOUNT_RATE", parse=rate)
    sign_up_rate: Rate = setting(Rate(120, 60), "SIGN_UP_RATE", parse=rate)
    https: bool | None = setting(None, "HTTPS")
    hsts_seconds: int = setting(365 * 24 * 3600, "HSTS_SECONDS", parse=seconds_or_off)
    origins: tuple[str, ...] = setting((), "CORS_ORIGINS", parse=origins)
    credentials: bool = setting(False, "CORS_CREDENTIALS")
    preflight_seconds: int = setting(600, "CORS_SECONDS")
    head_seconds: int = setting(15, "HEAD_SECONDS")
    body_seconds: int = setting(20, "BODY_SECONDS")
    request_seconds: int | None = setting(None, "REQUEST_SECONDS")
