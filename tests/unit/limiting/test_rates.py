"""How rates are written."""

from __future__ import annotations

import pytest

from host.limiting import Rate, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/minute", Rate(10, 60)),
        ("1/second", Rate(1, 1)),
        ("600/hour", Rate(600, 3600)),
        ("100/15 minutes", Rate(100, 900)),
        ("5/day", Rate(5, 86400)),
    ],
)
def test_rates_are_read_and_written(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert str(rate) == text


@pytest.mark.parametrize(
    "text", ["", "10", "0/minute", "10/fortnight", "-1/minute", "1.5/minute", "10 / minute x"]
)
def test_other_texts_are_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="10/minute"):
        parse_rate(text)
