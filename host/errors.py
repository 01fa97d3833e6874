"""The tree of errors that the host raises on purpose.

HostError
├── DeclarationError            the YAML is wrong; carries every problem at once
├── ConfigurationError          a setting, a secret or a database is missing: one clear sentence for the operator
└── RequestError                what a caller did, or may not do
    ├── BadRequest 400, Unauthenticated 401, Forbidden 403 (SignUpClosed, LinkRefused, CsrfFailed,
    │   InsufficientScope, HttpsRequired), NotFound 404, MethodNotAllowed 405
    ├── RequestTimeout 408, UriTooLong 414
    ├── Conflict 409 (Duplicate, Referenced, AlreadyRefreshed), LengthRequired 411, PreconditionFailed 412, PayloadTooLarge 413,
    │   UnsupportedMediaType 415
    ├── BadRequest 400, Conflict 409, Invalid 422 of an Idempotency-Key: MalformedIdempotencyKey, IdempotencyKeyRequired,
    │   StillRunning, AnswerNotKept, OtherRequest
    ├── Misdirected 421, Invalid 422, PreconditionRequired 428, TooManyRequests 429
    └── UpstreamError 502, Unavailable 503, InsufficientStorage 507

Raise them anywhere; they are translated to an answer only at the rim (`web`, `cli`). `code` is stable and documented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from host.declaration.problems import Problem


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one place of the input; `pointer` is a JSON Pointer (RFC 6901) or a parameter's name."""

    pointer: str
    code: str
    detail: str


class HostError(Exception):
    """Base of every error that the host raises on purpose."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers: Mapping[str, str] = {}
        self.extra: Mapping[str, object] = {}  # further members of the answer, e.g. an import's report


class DeclarationError(HostError):
    """Declarations that cannot be linked; nothing has been started."""

    code = "declaration"
    title = "The declarations have problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ConfigurationError(HostError):
    """The operator has to do something first; `detail` says what, in one sentence."""

    code = "configuration"
    title = "The configuration is incomplete"


class RequestError(HostError):
    """The caller's request cannot be carried out."""

    status = 400
    code = "bad_request"
    title = "Bad request"


class BadRequest(RequestError):
    """The request cannot be understood at all: not JSON, a malformed cursor."""


class MalformedIdempotencyKey(BadRequest):
    """The `Idempotency-Key` is not one, or comes from nobody in particular."""

    code = "idempotency_key"
    title = "Not an idempotency key"


class IdempotencyKeyRequired(BadRequest):
    """The operation wants an `Idempotency-Key`."""

    code = "idempotency_key_required"
    title = "Idempotency-Key required"


class Unauthenticated(RequestError):
    """Nobody is signed in, or the credential does not count; answered with `WWW-Authenticate` (RFC 6750)."""

    status = 401
    code = "unauthenticated"
    title = "Authentication required"

    def __init__(
        self, detail: str = "", *, invalid_token: bool = False, subject: str | None = None
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.subject = subject  # the account that somebody tried to be; for the audit log alone
        challenge = 'Bearer realm="hostwright"'
        self.headers = {"WWW-Authenticate": challenge + (', error="invalid_token"' if invalid_token else "")}


class Forbidden(RequestError):
    """The row is visible to the actor, but not for this operation."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class SignUpClosed(Forbidden):
    """The operator has switched signing up off; signing in would not help."""

    code = "sign_up_closed"
    title = "Signing up is closed"


class UnverifiedAddress(Forbidden):
    """The password is right, and the operator wants the e-mail address to be confirmed before anybody signs in."""

    code = "unverified_address"
    title = "The address is not confirmed"


class SignInRefused(Forbidden):
    """A provider says who it is, and the account is not active or the address not verified there."""

    code = "sign_in_refused"
    title = "You cannot sign in"


class InsufficientScope(Forbidden):
    """The API key has no scope that names this operation (RFC 6750)."""

    code = "insufficient_scope"
    title = "Not in the key's scopes"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.headers = {"WWW-Authenticate": 'Bearer realm="hostwright", error="insufficient_scope"'}


class CsrfFailed(Forbidden):
    """A request that is signed in by a cookie does not show that it comes from the application's own pages."""

    code = "csrf"
    title = "Not from your own page"


class HttpsRequired(Forbidden):
    """The request came in the clear, and the site is served over HTTPS alone."""

    code = "https_required"
    title = "HTTPS required"


class LinkRefused(Forbidden):
    """A signed link was changed, has ended, or was for another file. Why is not told."""

    code = "link_refused"
    title = "The link does not hold"


class NotFound(RequestError):
    """There is no such row, or the actor may not know of it."""

    status = 404
    code = "not_found"
    title = "Not found"


class Hidden(NotFound):
    """The row exists, and the actor may not see it; raised only where a wire gives this case a status."""

    code = "hidden"
    title = "Not for you to see"


class MalformedKey(NotFound):
    """A text in the path that cannot be a key of the resource; not found, unless a wire says otherwise."""

    code = "malformed_key"


class MethodNotAllowed(RequestError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"allowed here: {', '.join(sorted(allowed))}")
        self.headers = {"Allow": ", ".join(sorted(allowed))}


class RequestTimeout(RequestError):
    """The body did not come in time; the connection is closed."""

    status = 408
    code = "request_timeout"
    title = "Too slow"


class UriTooLong(RequestError):
    """The path and the query are longer than any that the host makes."""

    status = 414
    code = "uri_too_long"
    title = "URL too long"


class Conflict(RequestError):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "Conflict"


class Duplicate(Conflict):
    """A unique value exists already."""

    code = "duplicate"
    title = "Already exists"


class Referenced(Conflict):
    """Other rows refer to this one and the relation restricts its deletion."""

    code = "referenced"
    title = "Still referenced"


class AlreadyRefreshed(Conflict):
    """A refresh token came a second time within moments: another tab has been faster, and its answer counts."""

    code = "already_refreshed"
    title = "Already refreshed"


class StillRunning(Conflict):
    """The first request with this `Idempotency-Key` has not been answered yet."""

    code = "idempotency_in_flight"
    title = "The first request is still running"


class AnswerNotKept(Conflict):
    """The first request with this `Idempotency-Key` has been carried out; its answer cannot be given again."""

    code = "idempotency_not_kept"
    title = "Carried out, the answer was not kept"


class LengthRequired(RequestError):
    """A body that would end without telling whether it is whole: it needs a `Content-Length`."""

    status = 411
    code = "length_required"
    title = "Length required"


class PreconditionFailed(RequestError):
    """`If-Match` names another version than the present one."""

    status = 412
    code = "precondition_failed"
    title = "The row has changed"


class PayloadTooLarge(RequestError):
    """The body, or the number of items in it, is over the limit."""

    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedMediaType(RequestError):
    """The body's media type is not one that the operation reads."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class Misdirected(RequestError):
    """The `Host` header has a name that is not one of the site."""

    status = 421
    code = "misdirected"
    title = "Not served here"


class RangeNotSatisfiable(RequestError):
    """There is nothing in the range of the file that was asked for."""

    status = 416
    code = "range_not_satisfiable"
    title = "Nothing in this range"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.headers = {"Content-Range": f"bytes */{size}"}


class Invalid(RequestError):
    """The input is understood but wrong; `errors` names each place."""

    status = 422
    code = "invalid"
    title = "Invalid input"

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> Invalid:
        """One error at one place."""
        return cls(detail, [FieldError(pointer, code, detail)])


class OtherRequest(Invalid):
    """The `Idempotency-Key` belongs to a request with another path or body."""

    code = "idempotency_mismatch"
    title = "The key belongs to another request"


class PreconditionRequired(RequestError):
    """The resource wants an `If-Match` header."""

    status = 428
    code = "precondition_required"
    title = "If-Match required"


class TooManyRequests(RequestError):
    """The caller is over a rate."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"


class UpstreamError(RequestError):
    """A server that the host calls failed or answered nonsense."""

    status = 502
    code = "upstream"
    title = "Upstream failure"


class Unavailable(RequestError):
    """A part that this operation needs is missing or not configured."""

    status = 503
    code = "unavailable"
    title = "Unavailable"


class InsufficientStorage(RequestError):
    """There is no room for a file: the disk is full, or the account has used up what it may store."""

    status = 507
    code = "insufficient_storage"
    title = "No room left"
