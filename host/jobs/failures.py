"""Why a try has failed: what its owner is told, and what the operator finds out."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any, Final

from host.errors import HostError
from host.jobs.interruptions import JobTimeout

LONGEST_DETAIL: Final = 2000
DEEPEST: Final = 8  # frames of the code that is told to the operator


class JobRefused(HostError):
    """The job cannot be carried out, however often it is tried."""

    code = "job_refused"
    title = "The job cannot be carried out"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = code


class JobFailed(JobRefused):
    """A try has failed, in words that hold nothing of the arguments, not even of sealed ones; another try may succeed."""

    code = "job_failed"
    title = "The try has failed"


class UnknownTask(HostError):
    """Nobody declares a job of that name, e.g. while another version of the site still runs."""

    code = "unknown_job"
    title = "There is no such job"


@dataclass(frozen=True, slots=True)
class Failure:
    """`error` is for whoever may see the job; `private` for operators. `is_final` when trying again is of no use."""

    error: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)
    is_final: bool = False

    @classmethod
    def of(cls, error: BaseException, *, is_sealed: bool = False) -> Failure:
        """What an exception means. Nothing of a message is told where the arguments hold secrets."""
        if isinstance(error, JobRefused):
            return cls(
                {"code": error.reason, "detail": error.detail}, is_final=not isinstance(error, JobFailed)
            )
        if isinstance(error, HostError) and not is_sealed:
            told: dict[str, Any] = {"code": error.code, "detail": error.detail[:LONGEST_DETAIL]}
            if error.errors:
                told["errors"] = [
                    {"pointer": it.pointer, "code": it.code, "detail": it.detail} for it in error.errors
                ]
            return cls(told)
        if isinstance(error, JobTimeout):
            return cls(
                {"code": "timeout", "detail": str(error) or "the time of the job is over"}, _private(error)
            )
        told = {
            "code": "internal",
            "detail": "an unexpected error; it has been logged with the id of the job",
        }
        return cls(told, _private(error, is_sealed=is_sealed))


def _private(error: BaseException, *, is_sealed: bool = False) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    found = {"type": type(error).__name__, "at": [f"{it.filename}:{it.lineno} {it.name}" for it in frames]}
    return found if is_sealed else {**found, "message": str(error)[:LONGEST_DETAIL]}
