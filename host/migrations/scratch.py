"""The state that the scripts of all owners make, found by running them on an empty database in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from host.migrations.blueprint import scratch_engine
from host.migrations.owners import Owner, in_order
from host.migrations.runner import run


@contextmanager
def scripted(owners: Sequence[Owner]) -> Iterator[sa.Connection]:
    """Give a connection to a database in memory on which every script has run."""
    engine = scratch_engine(portable=True)
    try:
        with engine.connect() as connection:
            for owner in in_order(owners):
                run(connection, owner, "upgrade", "head")
            yield connection
    finally:
        engine.dispose()
