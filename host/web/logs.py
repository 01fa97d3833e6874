"""The log of a process: one JSON object (or one line of text) for every record, also those of servers and libraries.

The commands that serve configure it before they make an app; `AccessLog` joins the pipeline and says one line for each request.
No token, password, cookie, query string or body is ever logged on purpose; what looks like one is masked as a last defence.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from host import tracing
from host.settings import LogSettings
from host.web.steps import Seen, Steps

ACCESS: Final = "hostwright.access"
MAIL: Final = "hostwright.mail"
MASK: Final = "***"
# Below these levels they tell of headers, bodies and the parameters of statements.
QUIET: Final = {
    "sqlalchemy": logging.WARNING, "alembic": logging.WARNING, "httpx": logging.WARNING, "urllib3": logging.INFO,
    "botocore": logging.INFO, "boto3": logging.INFO,
    "s3transfer": logging.INFO, "httpcore": logging.INFO, "authlib": logging.INFO,
    "asyncio": logging.INFO, "PIL": logging.INFO, "redis": logging.INFO, "rq": logging.WARNING,
}  # fmt: skip
_TOKEN: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JWT
    r"|hw_[a-z0-9]{8}_[A-Za-z0-9]{20,}"  # an API key
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)"  # who signs in to a database or server
    r"|\b(?:Bearer|Basic)\s+[\w.~+/=-]{6,}",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"((?:password|passwd|pwd|secret|token|credential|authorization|cookie|signature|csrf\w*|api_?key|code|session|otp)"
    r"\w*(?:\\?[\"'])?\s*[=:]\s*(?:\\?[\"'])?)"
    r"([^\s\"'&,;)}\]\\]+)",
    re.IGNORECASE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_TEXT: Final = re.compile(r"[\ud800-\udfff]")


class AccessLog:
    """The step that logs every answered request; costs nothing where the level says so."""

    def __init__(self) -> None:
        self._log = logging.getLogger(ACCESS)

    def steps(self) -> Steps:
        """What joins the pipeline."""
        return Steps(observers=(self.observe,))

    def observe(self, seen: Seen) -> None:
        """One line for one request: which operation for whom, and how it went; nothing of what was in it."""
        if not self._log.isEnabledFor(logging.INFO):
            return
        request, answer, operation = seen.request, seen.answer, seen.operation
        route = operation.path if operation is not None else None
        facts = {
            "request_id": request.id, "method": request.method[:20],
            "route": route, "operation": operation.id if operation is not None else None, "status": answer.status,
            "duration_ms": round(seen.seconds * 1000, 2), "actor": request.actor.id, "address": request.remote,
            "bytes": len(answer.body) if isinstance(answer.body, bytes) else None,
            "code": seen.error.code if seen.error is not None else None,
        }  # fmt: skip
        self._log.info("%s %s %d", facts["method"], route or "-", answer.status, extra={"facts": facts})


def configure(settings: LogSettings, *, is_embedded: bool = False) -> None:
    """Send every record of this process to standard error in one form. For commands that serve."""
    name = settings.level or ("warning" if is_embedded else "info")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(settings.form or ("text" if is_embedded else "json")))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(name.upper())
    for library, least in QUIET.items():
        logging.getLogger(library).setLevel(max(least, root.level))
    logging.captureWarnings(True)


def formatter(form: str) -> logging.Formatter:
    """What makes a line of a record."""
    if form == "text":
        return TextFormatter()
    return _json_formatter()


def granian_config(settings: LogSettings) -> dict[str, Any]:
    """The configuration of granian's own loggers: theirs go where all others go."""
    form = settings.form or "json"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"host": {"()": "host.web.logs.formatter", "form": form}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "host"}},
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }


def belongings() -> dict[str, str]:
    """What the line belongs to, out of the trace that its thread works for."""
    trace = tracing.current()
    if trace is None:
        return {}
    said = {"request_id": trace.request_id, "trace_id": trace.trace_id, "span_id": trace.span_id}
    if trace.actor is not None:
        said["actor"] = trace.actor
    if trace.job is not None:
        said["job"] = trace.job
    return said


def masked(text: str) -> str:
    """The text without what looks like a secret."""
    return _NAMED.sub(rf"\1{MASK}", _TOKEN.sub(MASK, text))


class TextFormatter(logging.Formatter):
    """Lines for people. Control characters cannot begin a new one; the lines of a stack are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        facts = getattr(record, "facts", None)
        start = f"{at}Z {record.levelname:<7} {record.name}:"
        if (
            record.name == MAIL and record.levelno == logging.WARNING
        ):  # in place of sending it, in development alone
            return start + _indented(record.getMessage())
        said = _CONTROL.sub(_escaped, record.getMessage())
        line = f"{start} {said if facts is not None else masked(said)}"
        if facts is not None:
            line += "".join(f" {key}={facts[key]}" for key in TOLD if facts.get(key) is not None)
        elif "job" in (said_of := belongings()):
            line += f" job={said_of['job']}"
        if record.exc_info:
            line += _indented(masked(self.formatException(record.exc_info)))
        return line


BELONGING: Final = ("request_id", "job", "job_name", "attempt")  # of what is said on behalf of something else
TOLD: Final = ("duration_ms", "actor", "address", "request_id", "code", "job", "attempt")


def _indented(text: str) -> str:
    """Further lines, which cannot be taken for records."""
    return "".join(f"\n    {_CONTROL.sub(_escaped, line)}" for line in text.split("\n"))


def _escaped(match: re.Match[str]) -> str:
    return repr(match[0])[1:-1]


def _json_formatter() -> logging.Formatter:
    from pythonjsonlogger.orjson import OrjsonFormatter  # only where something is served

    class JsonFormatter(OrjsonFormatter):
        """One object for each record: its time, level, logger and message, then the facts that it brings."""

        def add_fields(
            self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
        ) -> None:  # fmt: skip
            log_data["time"] = datetime.fromtimestamp(record.created, UTC)
            log_data["level"] = record.levelname.lower()
            log_data["logger"] = record.name
            facts = getattr(record, "facts", None)
            if facts is not None:
                log_data["message"] = record.message
                log_data.update(belongings() | facts)
                return
            log_data["message"] = _clean(record.message)
            log_data.update(belongings())
            for name in BELONGING:
                if hasattr(record, name):
                    log_data[name] = getattr(record, name)
            if "exc_info" in message_dict:
                log_data["stack"] = _clean(message_dict["exc_info"])

        def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
            """The object on one line, by every reader's notion of a line."""
            text = super().jsonify_log_record(log_data)
            return text if text.isascii() else _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

    return JsonFormatter()


def _clean(text: str) -> str:
    """Text that JSON can hold, masked."""
    return masked(_NOT_TEXT.sub("\ufffd", text))
