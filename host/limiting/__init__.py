"""Counting how often somebody does something: rates, and the limiter that every layer above may use."""

from host.limiting.limiter import Limiter, Standing
from host.limiting.limits import Limit
from host.limiting.rates import Rate, parse_rate

__all__ = ["Limit", "Limiter", "Rate", "Standing", "parse_rate"]
