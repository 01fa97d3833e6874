"""Every error as RFC 9457 problem+json, with the extra keys and other statuses that a wire's clients expect."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from host.compiler.wires import CompiledWire
from host.declaration.nodes import WireErrors
from host.errors import HostError, Unauthenticated
from host.tracing import Trace
from host.web.http import Answer

PROBLEM = "application/problem+json"
MOST_ERRORS = 100  # told of one request
log = logging.getLogger("hostwright")


def problem(error: HostError, trace_id: str, errors: WireErrors, wire: CompiledWire | None = None) -> Answer:
    """The answer to an error; never SQL, a stack, or another's data."""
    status = _status(error, errors)
    body: dict[str, Any] = {
        "type": f"urn:hostwright:problem:{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.detail,
        "code": error.code,
    }
    if error.errors:
        body["errors"] = [
            {
                "pointer": wire.pointer(item.pointer) if wire and item.code != "unknown" else item.pointer,
                "code": item.code,
                "detail": item.detail,
            }
            for item in error.errors[:MOST_ERRORS]
        ]
    body |= error.extra
    body["trace_id"] = trace_id
    text = _text(error, wire)
    for key in errors.keys:
        body[key] = text
    body = {**errors.constants, **body}  # what the standard says stays
    return Answer(status, orjson.dumps(body), PROBLEM, list(error.headers.items()))


def _status(error: HostError, errors: WireErrors) -> int:
    """The status of the error's case. Input that only refers to what is not there may have one of its own."""
    is_reference = bool(error.errors) and {item.code for item in error.errors} == {"reference"}
    if is_reference and "reference" in errors.status:
        return errors.status["reference"]
    status: int = errors.status.get(error.code, error.status)  # type: ignore[call-overload]  # codes beyond the wire's cases
    return status


def _text(error: HostError, wire: CompiledWire | None) -> str:
    """One sentence for clients that read a single text: the general one, and where it is."""
    if not error.errors or error.errors[0].detail == error.detail:
        return error.detail
    first = error.errors[0]
    where = (wire.pointer(first.pointer) if wire else first.pointer).lstrip("/")
    return f"{error.detail}: {where} {first.detail}"


def unexpected(error: Exception, trace: Trace, errors: WireErrors) -> Answer:
    """A defect of the host or a plugin: logged with its stack, answered without."""
    log.error("request %s failed", trace.trace_id, exc_info=error, extra={"request_id": trace.request_id})
    said = HostError("an unexpected error; it has been logged under this trace_id")
    return problem(said, trace.trace_id, errors)


def as_anonymous(error: HostError, *, is_anonymous: bool) -> HostError:
    """What is forbidden to nobody in particular asks for a sign-in instead."""
    return (
        Unauthenticated("sign in first") if is_anonymous and error.code in ("forbidden", "hidden") else error
    )
