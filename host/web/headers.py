"""The headers that every answer carries, errors and pages included: what browsers may do with it, and who may keep it.

Made once as tuples, because they are added to every answer; what an operation says of its own answer stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from host.web.http import Answer, Request

Pairs = tuple[tuple[str, str], ...]
NOTHING = "default-src 'none'; frame-ancestors 'none'"
BASE: Pairs = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
)
POLICY: Pairs = (("Content-Security-Policy", NOTHING),)
PAGES: Pairs = (
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
PRIVATE: Pairs = (
    ("Cache-Control", "private, no-cache"),
)  # kept by the caller alone, who asks whether it still holds
NOT_KEPT: Pairs = (("Cache-Control", "no-store"),)
REVALIDATED: Pairs = (("Cache-Control", "no-cache"),)
OWN = frozenset(name for name, _ in (*BASE, *POLICY, *PAGES, *PRIVATE, ("Cross-Origin-Resource-Policy", "")))


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Of one app. `is_shared`: pages of other origins may use what is answered; `hsts_seconds` 0 promises nothing."""

    hsts: Pairs
    succeeded: Pairs
    failed: Pairs
    page: Pairs

    @classmethod
    def make(cls, *, is_shared: bool, hsts_seconds: int) -> SecurityHeaders:
        """Put the tuples together."""
        used_by = (("Cross-Origin-Resource-Policy", "cross-origin" if is_shared else "same-origin"),)
        always = (*BASE, *POLICY, *used_by)
        return cls(
            hsts=(("Strict-Transport-Security", f"max-age={hsts_seconds}"),) if hsts_seconds else (),
            succeeded=(*always, *PRIVATE),
            failed=(*always, *NOT_KEPT),
            page=(*always, *PAGES, *REVALIDATED),
        )

    def depart(self, request: Request, answer: Answer) -> None:
        """The last step: add what the answer does not say itself."""
        headers = answer.headers
        added = self.page if request.operation is None else self.succeeded
        if answer.status >= 400:
            added = self.failed
        for name, _ in headers:
            if name in OWN:
                said = {name for name, _ in headers}
                added = tuple(pair for pair in added if pair[0] not in said)
                break
        headers.extend(added)
        if self.hsts and request.scheme == "https":
            headers.extend(self.hsts)
