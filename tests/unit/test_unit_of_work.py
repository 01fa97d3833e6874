"""What follows a transaction, and what is undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.database import Database
from host.unit_of_work import UnitOfWork, unit_of_work


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
    yield database
    database.dispose()


def _values(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY a").fetchall()]


def _insert(work: UnitOfWork, value: int) -> None:
    work.connection.execute(sa.text("INSERT INTO t VALUES (:a)"), {"a": value})


def test_followers_run_when_committed(database: Database) -> None:
    seen: list[list[int]] = []
    with unit_of_work(database) as work:
        _insert(work, 1)
        work.after_commit(lambda: seen.append(_values(database)))
        assert seen == []
    assert seen == [[1]]


def test_followers_do_not_run_when_rolled_back(database: Database) -> None:
    seen: list[int] = []
    with pytest.raises(ZeroDivisionError), unit_of_work(database) as work:
        _insert(work, 1)
        work.after_commit(lambda: seen.append(1))
        raise ZeroDivisionError
    assert (seen, _values(database)) == ([], [])


def test_failing_follower_stops_no_other(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    with unit_of_work(database) as work:
        work.after_commit(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        work.after_commit(lambda: seen.append(1))
    assert seen == [1]
    assert "follower" in caplog.text


def test_savepoint_undoes_its_part_alone(database: Database) -> None:
    seen: list[int] = []
    with unit_of_work(database) as work:
        _insert(work, 1)
        with pytest.raises(ZeroDivisionError), work.savepoint():
            _insert(work, 2)
            work.after_commit(lambda: seen.append(2))
            raise ZeroDivisionError
        with work.savepoint():
            _insert(work, 3)
            work.after_commit(lambda: seen.append(3))
    assert (_values(database), seen) == ([1, 3], [3])


def test_session_shares_the_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(database) as work:
        _insert(work, 1)
        assert work.session.execute(sa.text("SELECT a FROM t")).scalars().all() == [1]
        raise ZeroDivisionError
    assert _values(database) == []


def test_notes_of_one_store_are_written_alone(database: Database) -> None:
    first, second = _Store(), _Store()
    with unit_of_work(database) as work:
        work.note(1, first.add)
        work.note(2, second.add)
        with pytest.raises(ZeroDivisionError), work.savepoint():
            work.note(3, first.add)
            work.note(4, second.add)
            work.write_notes(second.add)
            raise ZeroDivisionError
        assert (first.stored, second.stored, work.undone) == ([], [[2, 4]], 1)
        work.note(5, first.add)
    assert (first.stored, second.stored) == ([[1, 5]], [[2, 4]])


class _Store:
    """Keeps what it was given to store."""

    def __init__(self) -> None:
        self.stored: list[list[int]] = []

    def add(self, driver: object, entries: list[int]) -> None:
        self.stored.append(entries)
