"""The operations below `/api/auth` for forgotten passwords and addresses, with the pages that mailed links open.

What a stranger asks for is answered alike whether an account exists or not; the work is done in `host.auth.recovery`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from host.auth.recovery import PAGES, Recovery
from host.errors import RequestError
from host.limiting import Limit, Rate
from host.web import landing
from host.web.http import Answer, Request
from host.web.operations import Operation
from host.web.origins import origin_of
from host.web.own import AUTH_ERRORS, OwnEndpoint

RESET, VERIFY = PAGES["reset_password"], PAGES["verify_email"]
ASKING: Final = Limit("mail", Rate(30, 3600), "address", is_always=True)
FOLLOWING: Final = Limit("link", Rate(60, 60), "address", is_always=True)
PAGE_DOCUMENT: Final = {
    "parameters": [
        {"name": "token", "in": "query", "schema": {"type": "string"}, "description": "out of the link"}
    ],
    "responses": {
        "200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    },
}
Act = Callable[[Mapping[str, Any], Request], str]


@dataclass(frozen=True, eq=False)
class RecoveryOperations:
    """The handlers."""

    recovery: Recovery
    site: str

    def operations(self) -> Iterator[Operation]:
        """Every operation."""
        yield self._open(
            "forgot_password",
            "/api/auth/forgot-password",
            "Ask for a new password",
            self.forgot,
            given="address_only",
            limits=(ASKING,),
        )
        yield self._open(
            "reset_password",
            RESET,
            "Choose a new password",
            self.reset,
            given="reset_password",
            limits=(FOLLOWING,),
        )
        yield self._open(
            "verify_email", VERIFY, "Confirm an address", self.verify, given="link_token", limits=(FOLLOWING,)
        )
        yield self._open(
            "resend_verification",
            f"{VERIFY}/resend",
            "Ask for the confirming mail again",
            self.resend,
            given="address_only",
            limits=(ASKING,),
        )
        yield self._endpoint(
            "change_email",
            "/api/auth/change-email",
            "Change your address",
            self.change,
            given="change_email",
            limits=(ASKING,),
        )
        yield self._page("resetPasswordPage", RESET, "The page of a link for a new password", self.reset_page)
        yield self._page(
            "verifyEmailPage", VERIFY, "The page of a link that confirms an address", self.verify_page
        )

    # -- asking --

    def forgot(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/forgot-password."""
        self.recovery.forgot(endpoint.read(request)["email"])
        return endpoint.answer({"message": "If there is an account with this address, a mail is on its way"})

    def resend(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/verify-email/resend."""
        self.recovery.verify(endpoint.read(request)["email"])
        return endpoint.answer({"message": "If this address waits to be confirmed, a mail is on its way"})

    def change(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/change-email."""
        given = endpoint.read(request)
        account = request.actor.id or ""
        self.recovery.change_email(account, given["email"], given["password"], origin_of(request))
        return endpoint.answer({"message": "The address is yours once you follow the link in the mail to it"})

    # -- following --

    def reset(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/reset-password, from a program or from the page."""
        return self._act(endpoint, request, self._reset, self._reset_form)

    def verify(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/verify-email, from a program or from the page."""
        return self._act(endpoint, request, self._verify, self._verify_form)

    def reset_page(self, request: Request) -> Answer:
        """GET /api/auth/reset-password."""
        return landing.page(
            self.site, "Choose a new password", "", self._reset_form(landing.token_in(request))
        )

    def verify_page(self, request: Request) -> Answer:
        """GET /api/auth/verify-email."""
        text = "Confirm only if you have made, or changed, an account here yourself."
        return landing.page(
            self.site, "Confirm your address", text, self._verify_form(landing.token_in(request))
        )

    # -- inside --

    def _reset(self, given: Mapping[str, Any], request: Request) -> str:
        self.recovery.reset(given["token"], given["password"], origin_of(request))
        return "The password has been changed; sign in with it"

    def _verify(self, given: Mapping[str, Any], request: Request) -> str:
        self.recovery.confirm(given["token"])
        return "The address is confirmed"

    def _act(
        self, endpoint: OwnEndpoint, request: Request, act: Act, form: Callable[[str], str]
    ) -> Answer:  # fmt: skip
        if not landing.is_form(request):
            return endpoint.answer({"message": act(endpoint.read(request), request)})
        values = landing.form_values(request)
        try:
            said = act(endpoint.load(values), request)
        except RequestError as error:
            return landing.failed(self.site, error, form(values.get("token", "")))
        return landing.page(self.site, "Done", said)

    def _reset_form(self, token: str) -> str:
        return landing.form(RESET, token, landing.PASSWORD, "Change the password")

    def _verify_form(self, token: str) -> str:
        return landing.form(VERIFY, token, "", "Confirm")

    def _open(self, name: str, path: str, summary: str, handler: Any, **more: Any) -> Operation:
        return self._endpoint(name, path, summary, handler, is_open=True, **more)

    def _endpoint(self, name: str, path: str, summary: str, handler: Any, **more: Any) -> Operation:
        return OwnEndpoint(
            runtime=self.recovery.accounts.runtime, name=name, noun="account", method="POST", path=path, summary=summary,
            handler=handler, out="said", unknown="ignore", errors=AUTH_ERRORS, **more,
        ).operation()  # fmt: skip

    def _page(self, name: str, path: str, summary: str, handler: Callable[[Request], Answer]) -> Operation:
        return Operation(
            id=name, method="GET", path=path, kind="page", plugin="host", handler=partial(handler), summary=summary,
            is_public=True, is_open=True, details={"document": PAGE_DOCUMENT},
        )  # fmt: skip
