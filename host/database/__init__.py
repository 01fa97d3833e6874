"""The database: engine, transactions, read connections, and what driver errors mean. SQLite and PostgreSQL only."""

from host.database.connections import NAMING_CONVENTION, Database
from host.database.timeouts import Timeouts
from host.database.violations import Violation, violation_of

__all__ = ["NAMING_CONVENTION", "Database", "Timeouts", "Violation", "violation_of"]
