"""Every statistic is one query, whatever the number of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from plugins.freelance.tests.house import House, User

TABLES = ("clients", "projects", "invoices", "time_entries", "contracts")


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """What is sent to the plugin's tables meanwhile."""
    engine, sent = house.app.runtime.database.engine, list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if any(table in statement for table in TABLES):
            sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "path",
    [
        "/api/invoices/stats/summary",
        "/api/contracts/stats/summary",
        "/api/time-tracking/stats/summary",
        "/api/clients/{}/stats",
    ],
)
def test_statistic_is_one_query(house: House, ann: User, path: str) -> None:
    client = ann.invoice()["client_id"]
    with statements(house) as sent:
        ann.get(path.format(client))
    assert len(sent) == 1
