"""What the code of a job can ask of whoever carries it out: `ctx.job` and `ctx.step`. `host.jobs` implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from host.service.context import Context


class Working(Protocol):
    """The job that is being carried out."""

    @property
    def id(self) -> str:
        """The id of its row, also the key by which other servers tell a repeat: it stays the same from try to try."""

    @property
    def attempt(self) -> int:
        """Which try it is, from 1."""

    def progress(self, percent: int, message: str | None = None) -> None:
        """Show how far it is; stops the job where somebody has cancelled it, or its time is over."""

    def check(self) -> None:
        """Stop the job where somebody has cancelled it, its time is over, or another worker has taken it."""

    def step(self, ctx: Context, key: str, work: Callable[[Context], Any]) -> Any:
        """See `Context.step`."""
