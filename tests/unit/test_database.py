"""Connections of both databases: given back, found lost, left to the parent after a fork."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.database import Database, engines
from host.errors import ConfigurationError, Unavailable


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url)
    yield database
    database.dispose()


def test_reader_is_given_back_after_an_error(database: Database) -> None:
    for _ in range(70):  # more than there are
        with pytest.raises(ZeroDivisionError), database.reading():
            raise ZeroDivisionError
    with pytest.raises(Exception, match="nonsense"), database.reading() as connection:
        connection.execute("SELECT nonsense")
    with database.reading() as connection:
        assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_new_file_is_opened_while_another_writes(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE t (a)")
    other.execute(
        "BEGIN IMMEDIATE"
    )  # SQLite answers at once that it is locked, whatever patience it was told to have
    timer = threading.Timer(0.1, other.execute, ["COMMIT"])
    timer.start()
    database = Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    database.check()
    database.dispose()
    timer.join()
    other.close()


def test_reader_cannot_write(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(sqlite3.OperationalError, match="readonly"), database.reading() as connection:
        connection.execute("CREATE TABLE t (a)")
    database.dispose()


def test_readers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.database.connections.BUSY_SECONDS", 0.05)
    database = Database(Database.open(f"sqlite:///{tmp_path / 'a.db'}").engine, readers=1)
    with database.reading(), pytest.raises(Unavailable), database.reading():
        pass
    with database.reading():
        pass
    database.dispose()


def test_writing_rolls_back_on_an_error(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0


def test_snapshot_sees_one_moment(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
    count = sa.text("SELECT count(*) FROM t")
    with database.snapshot() as snapshot:
        assert snapshot.execute(count).scalar_one() == 0
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert snapshot.execute(count).scalar_one() == 0


def test_busy_writer_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    database = Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    with database.writing(), pytest.raises(Unavailable, match="busy") as caught, database.writing():
        pass
    assert caught.value.headers == {"Retry-After": "1"}
    database.dispose()


@pytest.mark.postgres
def test_killed_connections_recover(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    with database.reading() as first, database.reading() as second, database.writing() as third:
        pids = [
            first.info.backend_pid,
            second.info.backend_pid,
            third.connection.dbapi_connection.info.backend_pid,
        ]  # type: ignore[union-attr]
    _kill(postgres_url, pids)
    with pytest.raises(Unavailable, match="cannot be reached"), database.reading() as connection:
        connection.execute("SELECT 1")
    with database.reading() as connection:
        assert connection.execute("SELECT 1").fetchone()[0] == 1
    with database.writing() as written:
        written.exec_driver_sql("SELECT 1")
    database.dispose()


@pytest.mark.postgres
def test_connection_lost_while_writing_is_unavailable(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    with pytest.raises(Unavailable), database.writing() as connection:
        driver = connection.connection.dbapi_connection
        _kill(postgres_url, [driver.info.backend_pid])  # type: ignore[union-attr]
        driver.execute("SELECT 1")  # type: ignore[union-attr]
    with database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.dispose()


def _kill(url: str, pids: list[int]) -> None:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(p) FROM unnest(:pids) AS p"), {"pids": pids})
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x/y", "not one of sqlite, postgresql"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:////no/such/folder/a.db", "does not exist"),
        ("nonsense", "cannot be read"),
    ],
)
def test_other_database_is_refused(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Database.open(url)


def test_unreachable_database_is_one_sentence() -> None:
    database = Database.open("postgresql://someone:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(ConfigurationError) as caught:
        database.check()
    said = str(caught.value)
    assert "cannot be reached" in said and "hunter2" not in said and "\n" not in said
    with pytest.raises(Unavailable) as hidden, database.reading():
        pass
    assert str(hidden.value) == "the database cannot be reached"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_uses_connections_of_its_own(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
    with database.reading():
        pass
    child = os.fork()
    if child == 0:
        os._exit(_in_child(database))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 1
    with database.writing() as written:
        written.exec_driver_sql("INSERT INTO t VALUES (2)")


def _in_child(database: Database) -> int:
    try:
        before = list(database._idle)
        with database.reading() as connection:
            if connection in before:
                return 2
        with database.writing() as written:
            written.exec_driver_sql("INSERT INTO t VALUES (1)")
    except BaseException:
        return 3
    return 0


def test_two_writers_lose_no_update(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a integer)")
        connection.exec_driver_sql("INSERT INTO t VALUES (0)")

    def count() -> None:
        for _ in range(10):
            with database.writing() as connection:
                suffix = " FOR UPDATE" if database.dialect == "postgresql" else ""
                found = connection.exec_driver_sql("SELECT a FROM t" + suffix).scalar_one()
                connection.execute(sa.text("UPDATE t SET a = :a"), {"a": found + 1})

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.execute("SELECT a FROM t").fetchone()[0] == 30
