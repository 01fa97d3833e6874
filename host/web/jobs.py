"""Jobs at the rim: the answer to what a job does later, and how often one that has not ended is to be asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import orjson

from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field
from host.service.jobs import UNFINISHED
from host.service.runtime import Runtime
from host.service.tasks import JOB
from host.web.http import Answer, Request, json_answer
from host.web.operations import Handler, Operation
from host.web.placing import filled

ACCEPTED: Final = "host.accepted_job"
POLL_SECONDS: Final = "1"


def accepted(runtime: Runtime, job: str) -> Answer:
    """202: a job will do it, and this is where it can be asked for."""
    headers = [
        ("Location", filled(job_wire(runtime).places.items[0], {"id": job})),
        ("Retry-After", POLL_SECONDS),
    ]
    return json_answer({"id": job, "state": "queued"}, 202, headers)


def accepted_type(runtime: Runtime) -> Field:
    """The type of that answer."""
    return runtime.registry.declaration.types[ACCEPTED]


def job_wire(runtime: Runtime) -> CompiledWire:
    """The main wire of the jobs."""
    return runtime.registry.wires[JOB][0]


def polled(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations, of which the one that reads a job says when to ask again while it has not ended."""
    for operation in operations:
        is_job = operation.kind == "get" and operation.wire is not None and operation.wire.model.name == JOB
        yield replace(operation, handler=_telling_when(operation)) if is_job else operation


def _telling_when(operation: Operation) -> Handler:
    def handle(request: Request) -> Answer:
        answer = operation.handler(request)
        if (
            isinstance(answer.body, bytes)
            and answer.body
            and orjson.loads(answer.body).get("state") in UNFINISHED
        ):
            answer.headers.append(("Retry-After", POLL_SECONDS))
        return answer

    return handle
