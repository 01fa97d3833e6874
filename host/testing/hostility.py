"""What attackers send, and how it is judged: the values and checks of the OWASP suite in `owasp`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

from werkzeug.test import TestResponse

from host.compiler.models import Attribute
from host.testing.conforming import Conforming

INJECTED: Final = (
    "' OR '1'='1", "'; DROP TABLE host_account; --", '" OR ""="', "1) OR (1=1", "%' OR '%'='", "x' UNION SELECT 1 --",
    "\\'; SELECT pg_sleep(5); --", "${7*7}", "{{7*7}}", "%", "_", "\\", "../../etc/passwd", "1 OR 1=1",
)  # fmt: skip
ORDERS: Final = (
    "{0} desc",
    "{0};select 1",
    "(select 1)",
    "{0},(case when 1=1 then 1 else 2 end)",
    "1",
    "{0}--",
    "--{0}",
    "",
)
KEYS: Final = (
    "1 OR 1=1",
    "' OR '1'='1",
    "%2e%2e%2f",
    "..;",
    "*",
    "null",
    "%25",
    "1%27",
    "{id}",
    "0x1",
    "[1]",
    "%F0%9F%92%A9",
)
LEAKS: Final = (
    b"Traceback",
    b"sqlite3",
    b"psycopg",
    b"sqlalchemy",
    b"[SQL:",
    b"syntax error",
    b"site-packages",
    b"INSERT INTO",
)
FORGED: Final = (
    "is_admin",
    "admin",
    "role",
    "roles",
    "is_superuser",
    "permissions",
    "owner_id",
    "account_id",
    "__proto__",
)


def judge(answer: TestResponse, *statuses: int) -> None:
    """Nothing may end in a defect or tell of the inside; with `statuses` it has to be one of these."""
    assert answer.status_code < 500, answer.text[:500]
    if statuses:
        assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", answer.text[:500]
        assert not [leak for leak in LEAKS if leak in answer.data]


def told(answer: TestResponse) -> tuple[int, Any, Any]:
    """What an answer tells, without what differs from request to request."""
    body = answer.get_json(silent=True, force=True) if answer.data else None
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if key not in ("trace_id",)}
    return answer.status_code, body, answer.headers.get("WWW-Authenticate")


def unknown_key(key: Attribute) -> Any:
    """A key of the right form that no row has."""
    kind = key.field.type
    if kind == "uuid":
        return "00000000-0000-7000-8000-0000000000aa"
    if kind == "integer":
        return 2**52 + 11
    width = key.field.max if key.field.max == key.field.min else None
    return "a" * int(width) if width else "no-such-key"


def forged_value(conforming: Conforming, attribute: Attribute) -> Any:
    """A value that only the server should give, other than any it would give."""
    relation = attribute.relation
    if relation is not None and relation.account is not None:
        return conforming.other.key(relation.by or "id")
    values: dict[str, Any] = {
        "integer": 424242, "boolean": True, "datetime": "2001-01-01T00:00:00Z", "date": "2001-01-01", "decimal": "4242.00",
        "float": 4242.5, "uuid": "00000000-0000-7000-8000-00000000cafe", "email": "forged@example.org",
    }  # fmt: skip
    if attribute.field.values:
        return attribute.field.values[-1]
    return values.get(attribute.field.type, "forged")


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ever call: its URL, and who did."""
    callers: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    stopped: list[bool] = []

    def accept() -> None:
        while not stopped:
            try:
                connection, address = server.accept()
            except TimeoutError:
                continue
            callers.append(str(address))
            connection.close()

    thread = Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/latest/meta-data", callers
    finally:
        stopped.append(True)
        thread.join()
        server.close()
