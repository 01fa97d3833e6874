"""What stops a job from outside. They pass through its code: `finally` runs, `except Exception` does not."""

from __future__ import annotations


class Interruption(BaseException):
    """The job's code is to stop now; what it has written in its open transaction is rolled back."""


class JobTimeout(Interruption):
    """The time of the job is over."""


class JobCancelled(Interruption):
    """Somebody has cancelled the job."""


class LeaseLost(Interruption):
    """The row belongs to another try: this one counted as dead. Nothing of it may be committed any more."""
