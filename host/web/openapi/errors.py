"""Error answers: which cases an operation has, and their problem+json schemas with the keys that its clients expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from host import errors
from host.compiler.schemas import camel
from host.declaration.nodes import WireErrors
from host.errors import HostError
from host.web.openapi.components import Components, Json
from host.web.openapi.credentials import csrf_header
from host.web.operations import Operation
from host.web.problems import PROBLEM

Case = type[HostError]
BODY: tuple[Case, ...] = (
    errors.BadRequest,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
    errors.Invalid,
)
CHANGING: tuple[Case, ...] = (errors.Conflict, errors.PreconditionFailed)
FREE: tuple[Case, ...] = (
    *BODY,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.Conflict,
    errors.TooManyRequests,
    errors.UpstreamError,
)
"""What a plugin's own code may answer."""
REPEATED: tuple[Case, ...] = (
    errors.MalformedIdempotencyKey,
    errors.StillRunning,
    errors.AnswerNotKept,
    errors.OtherRequest,
)
"""What an `Idempotency-Key` may lead to."""
BY_KIND: dict[str, tuple[Case, ...]] = {
    "list": (errors.Invalid,),
    "get": (errors.Invalid,),
    "export": (errors.Invalid,),
    "history": (errors.Invalid,),
    "import": (errors.Conflict,),
    "metrics": (errors.Unauthenticated, errors.NotFound),
    "create": (errors.Conflict,),
    "update": CHANGING,
    "delete": CHANGING,
    "bulk_create": (errors.Conflict,),
    "bulk_update": (errors.NotFound, *CHANGING),
    "bulk_delete": (errors.NotFound, *CHANGING),
    "access": (errors.NotFound, errors.Invalid),
    "download": (errors.Invalid, errors.LinkRefused, errors.RangeNotSatisfiable),
    "upload": (errors.LengthRequired, *CHANGING, errors.InsufficientStorage),
    "clear": (errors.Invalid, *CHANGING),
    "link": (errors.Invalid,),
    "action": FREE,
    "endpoint": FREE,
    "identity": (
        errors.Invalid,
        errors.Unauthenticated,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.TooManyRequests,
    ),
}
VERSIONED = ("update", "delete", "upload", "clear", "bulk_update", "bulk_delete")
HEADERS: dict[str, tuple[str, str]] = {
    "unauthenticated": ("WWW-Authenticate", "How to sign in (RFC 6750)."),
    "too_many_requests": ("Retry-After", "Seconds to wait."),
}


def cases_of(operation: Operation, *, has_body: bool, has_query: bool = False) -> Iterator[Case]:
    """The errors that an operation can end in."""
    yield errors.HostError
    yield errors.Unavailable
    yield from _refusals(operation)
    if "{" in operation.path:
        yield errors.NotFound
        if "hidden" in operation.errors.status:
            yield errors.Hidden
    if operation.repeats is not None:
        yield from REPEATED
        if operation.repeats.is_required:
            yield errors.IdempotencyKeyRequired
    if operation.limits:
        yield errors.TooManyRequests
    if has_query:
        yield errors.UriTooLong
    if has_body:
        yield from BODY
    yield from BY_KIND.get(operation.kind, ())
    versioned = operation.wire.model.declared.mixins.versioned if operation.wire is not None else None
    if versioned is not None and versioned.required and operation.kind in VERSIONED:
        yield errors.PreconditionRequired


def _refusals(operation: Operation) -> Iterator[Case]:
    """What a caller is told who may not."""
    if not operation.is_open:
        yield from (errors.BadRequest, errors.Unauthenticated)
    if operation.access:
        yield errors.Forbidden
    if csrf_header(operation):
        yield errors.CsrfFailed


class ErrorAnswers:
    """The error answers of one document."""

    def __init__(self, components: Components) -> None:
        self.components = components
        self._made: dict[tuple[tuple[Case, ...], int], tuple[WireErrors, Json]] = {}

    def all(self, cases: Iterable[Case], form: WireErrors) -> Json:
        """The answers by status; several cases of one status share one."""
        told = tuple(dict.fromkeys(cases))
        key = (
            told,
            id(form),
        )  # forms hold mappings and have no hash; the form is kept, so its id stays its own
        if key not in self._made:
            self._made[key] = (form, self._all(told, form))
        return dict(self._made[key][1])

    def _all(self, cases: tuple[Case, ...], form: WireErrors) -> Json:
        by_status: dict[int, list[Case]] = {}
        for case in cases:
            status = form.status.get(case.code, case.status)  # type: ignore[call-overload]  # codes beyond the wire's cases
            by_status.setdefault(status, []).append(case)
        return {str(status): self._answer(status, found, form) for status, found in sorted(by_status.items())}

    def _answer(self, status: int, cases: list[Case], form: WireErrors) -> Json:
        suffix = _suffix(form)
        name = (
            "Or".join("InternalError" if case is HostError else case.__name__ for case in cases)
            + (str(status) if status != cases[0].status else "")
            + suffix
        )
        examples = {case.code: {"value": self._example(case, status, form)} for case in cases}
        content: Json = {
            "description": " ".join(f"{case.title}." for case in cases),
            "content": {PROBLEM: {"schema": self._schema(form, suffix), "examples": examples}},
        }
        told = {
            HEADERS[case.code][0]: _header(HEADERS[case.code][1]) for case in cases if case.code in HEADERS
        }
        return self.components.response(name, {**content, "headers": told} if told else content)

    def _schema(self, form: WireErrors, suffix: str) -> Json:
        text = {"type": "string"}
        properties: Json = {
            "type": {"type": "string", "format": "uri", "description": "which kind of problem it is"},
            "title": {**text, "description": "the kind of problem in words"},
            "status": {"type": "integer", "description": "the status of the answer"},
            "detail": {**text, "description": "what is wrong in this case"},
            "code": {**text, "description": "the kind of problem, for programs"},
            "errors": {"type": "array", "items": self._error(), "description": "each place that is wrong"},
            "trace_id": {**text, "description": "the trace's id, under which the server has logged it"},
            **{
                key: {**text, "description": "the problem in one sentence"}
                for key in form.keys
                if key != "detail"
            },
        }
        properties = {**{str(key): {"const": value} for key, value in form.constants.items()}, **properties}
        required = [key for key in properties if key != "errors"]
        example = self._example(
            errors.Invalid, errors.Invalid.status, form
        )  # of one name, whatever statuses are
        content = {
            "type": "object", "description": "A problem (RFC 9457).", "properties": properties, "required": required,
            "examples": [example],
        }  # fmt: skip
        return self.components.schema((f"Problem{suffix}",), content)

    def _error(self) -> Json:
        content = {
            "type": "object",
            "description": "One thing that is wrong with one place of the input.",
            "properties": {
                "pointer": {"type": "string", "description": "where: a JSON Pointer, or a parameter's name"},
                "code": {"type": "string", "description": "what, for programs"},
                "detail": {"type": "string", "description": "what, in words"},
            },
            "required": ["pointer", "code", "detail"],
            "examples": [{"pointer": "/name", "code": "required", "detail": "this is required"}],
        }
        return self.components.schema(("ProblemError",), content)

    def _example(self, case: Case, status: int, form: WireErrors) -> Json:
        body: Json = {
            "type": f"urn:hostwright:problem:{case.code}", "title": case.title, "status": status, "detail": case.title,
            "code": case.code,
        }  # fmt: skip
        if case is errors.Invalid:
            body["detail"] = "the input is not valid"
            body["errors"] = [{"pointer": "/name", "code": "required", "detail": "this is required"}]
        body["trace_id"] = "5f2c9a31e0d84b7796a1c3d2b04e86f7"
        return {
            **{str(key): value for key, value in form.constants.items()},
            **dict.fromkeys(form.keys, body["detail"]),
            **body,
        }


def _suffix(form: WireErrors) -> str:
    """What tells a form of errors from the standard one."""
    words = [*form.keys, *(f"{key}_{value}" for key, value in form.constants.items())]
    return "With" + "".join(camel(str(word)) for word in words) if words else ""


def _header(doc: str) -> Json:
    return {"schema": {"type": "string"}, "description": doc}
