"""What the operator decides about guessing passwords: how often it may be tried, and how long one has to wait then."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """Failures that cost nothing but patience; from then on the wait doubles with each one. Times in seconds."""

    account_failures: int = setting(10, "SIGN_IN_FAILURES")
    address_failures: int = setting(100, "SIGN_IN_ADDRESS_FAILURES")
    longest_wait: int = setting(300, "SIGN_IN_LONGEST_WAIT")
    memory: int = setting(3600, "SIGN_IN_MEMORY_SECONDS")
