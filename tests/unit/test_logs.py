"""The log: one form for every record, no secret in it, and no line that a caller has made up."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.settings import LogSettings
from host.web.logs import configure, formatter, masked

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture(params=["json", "text"])
def lines(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO, str]]:
    stream, log = io.StringIO(), logging.Logger("tests")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(request.param))
    log.addHandler(handler)
    yield log, stream, request.param


def test_record_is_one_json_object() -> None:
    record = logging.LogRecord("a.b", logging.WARNING, "", 1, "hello %s", ("you",), None)
    found = json.loads(formatter("json").format(record))
    assert found.keys() == {"time", "level", "logger", "message"}
    assert (found["level"], found["logger"], found["message"]) == ("warning", "a.b", "hello you")


def test_stack_is_a_field(lines: Any) -> None:
    log, stream, form = lines
    try:
        raise ValueError("first\nERROR forged: line")
    except ValueError:
        log.exception("it failed", extra={"request_id": "r1"})
    written = stream.getvalue().splitlines()
    if form == "json":
        (line,) = written
        assert json.loads(line)["stack"].startswith("Traceback") and json.loads(line)["request_id"] == "r1"
    else:
        assert all(line.startswith("    ") for line in written[1:]) and len(written) > 3


@given(st.text())
def test_no_text_forges_a_line(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "said %s", (text,), None)
    for form in ("json", "text"):
        assert len(formatter(form).format(record).splitlines()) == 1


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        f"Authorization: Bearer {JWT}",
        "Authorization: Basic YW5uOnNlY3JldA==",
        "hw_k3v9q2xw_0123456789abcdefghijABCDEFGHIJ0123456789",
        "postgresql://ann:hunter22@db/hostwright",
        "password=hunter22",
        "?token=abcdef0123456789&x=1",
        '{"password": "hunter22"}',
        "{'new_password': 'hunter22'}",
        '{\\"secret\\": \\"hunter22\\"}',
        "Cookie: session=abcdef0123456789",
        "csrftoken=abcdef0123456789",
        "/files/1?signature=abcdef0123456789",
        "reset?code=abcdef0123456789",
    ],
)
def test_what_looks_like_a_secret_is_masked(secret: str) -> None:
    shown = masked(f"before {secret} after")
    for word in ("hunter22", "abcdef0123456789", "eyJzdWI", "YW5uOnNlY3JldA", "0123456789abcdefghij"):
        assert word not in shown
    assert shown.startswith("before ")


@pytest.mark.parametrize(
    "text",
    ["request 5f2c9a31e0d8 failed", "GET /api/tasks 200", "the table tasks has 5 rows", "took 12.5 ms: slow"],
)
def test_plain_words_stay(text: str) -> None:
    assert masked(text) == text


@pytest.fixture
def _root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.usefixtures("_root")
@pytest.mark.parametrize(
    ("settings", "is_embedded", "level"),
    [
        (LogSettings(), False, logging.INFO),
        (LogSettings(), True, logging.WARNING),
        (LogSettings(level="debug"), True, logging.DEBUG),
        (LogSettings(level="error"), False, logging.ERROR),
    ],
)
def test_level_is_the_operators(settings: LogSettings, is_embedded: bool, level: int) -> None:
    configure(settings, is_embedded=is_embedded)
    assert logging.getLogger().level == level
    assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)
    assert not logging.getLogger("botocore.auth").isEnabledFor(logging.DEBUG)


def test_lone_surrogates_are_logged(lines: Any) -> None:
    log, stream, _ = lines
    log.warning("a \ud800 b")
    assert "a " in stream.getvalue()
