"""ISO 8601 durations of days and less, to and from whole microseconds."""

from __future__ import annotations

import re
from datetime import timedelta

MICROSECONDS = 1_000_000
_FORM = re.compile(
    r"(-)?P(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.(\d{1,6}))?S)?)?"
)


def parse_duration(text: str) -> timedelta:
    """`P1DT2H3M4.5S`; ValueError names the expected form."""
    match = _FORM.fullmatch(text)
    if match is None or text.rstrip("-PT") == "" or text.endswith("T"):
        raise ValueError("a duration, e.g. PT1H30M")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    microseconds = int((fraction or "").ljust(6, "0") or 0)
    value = timedelta(
        days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0),
        microseconds=microseconds,
    )  # fmt: skip
    return -value if sign else value


def iso_duration(microseconds: int) -> str:
    """The ISO 8601 text of a number of microseconds, in hours, minutes and seconds."""
    rest, sign = abs(microseconds), "-" if microseconds < 0 else ""
    seconds, fraction = divmod(rest, MICROSECONDS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    second_text = f"{seconds}.{fraction:06d}".rstrip("0").rstrip(".") if fraction else str(seconds)
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{second_text}S" if second_text != "0" else "",
    ]
    return f"{sign}PT{''.join(parts) or '0S'}"


def in_unit(microseconds: int, unit: int) -> int | float:
    """A number of whole units where it is whole, else a fraction rounded to two places."""
    whole, rest = divmod(microseconds, unit)
    return whole if rest == 0 else round(microseconds / unit, 2)
