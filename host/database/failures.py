"""Errors of the drivers that are nobody's mistake: the database is away, or busy. Callers are told to try again."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

from host.errors import Unavailable

BUSY = "the database is busy; try again"
SLOW = "this takes the database too long; ask for less, or try again later"
AWAY = "the database cannot be reached"
_PG_BUSY = ("40001", "40P01", "55P03")  # serialization, deadlock, lock timeout
_PG_SLOW = ("57014", "25P03")  # statement timeout, or idle in a transaction


def failure(error: BaseException) -> Unavailable | None:
    """The answer to a driver's error, or None when it is another error. It tells nothing of the database."""
    original = getattr(error, "orig", None) or error
    if isinstance(error, sa.exc.TimeoutError):
        return _unavailable(BUSY)
    if isinstance(original, sqlite3.OperationalError):
        return _sqlite_failure(str(original))
    state = getattr(original, "sqlstate", None)
    if state in _PG_SLOW:
        return _unavailable(SLOW)
    names = {base.__name__ for base in type(original).__mro__ if base.__module__.startswith("psycopg")}
    if not names & {"OperationalError", "InterfaceError"}:
        return None
    return _unavailable(BUSY if state in _PG_BUSY else AWAY)


def _sqlite_failure(message: str) -> Unavailable | None:
    if "locked" in message or "busy" in message:
        return _unavailable(BUSY)
    if message == "interrupted":
        return _unavailable(SLOW)
    return _unavailable(AWAY) if "unable to open" in message else None


def _unavailable(detail: str) -> Unavailable:
    error = Unavailable(detail)
    error.headers = {"Retry-After": "1"}
    return error


def sentence(url: sa.URL, error: BaseException) -> str:
    """What an operator has to know, in one sentence."""
    original = getattr(error, "orig", None) or error
    reason = next(iter(str(original).strip().splitlines()), type(original).__name__)
    return f"the database {url.render_as_string(hide_password=True)} cannot be reached: {reason}"
