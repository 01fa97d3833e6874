"""Endpoints whose work is the host's: signing up, in and out, and one's own account. `authentication` makes them.

The shared paths below `/api/auth` are declared in `host/resources` like a plugin's own sign-in surface. Whatever the
endpoint, the same service decides, and its `out` chooses out of the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from host.access import facts_of
from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.bearer import bearer_token
from host.auth.grants import Grant, Grants, Way
from host.auth.lookup import Row
from host.auth.recovery import Recovery
from host.auth.sessions import Visitor
from host.compiler.schemas import camel
from host.declaration.nodes import Credential, Endpoint, WireValues
from host.declaration.workspace import HOST
from host.errors import Forbidden, SignUpClosed, Unauthenticated
from host.service.runtime import Runtime
from host.service.shaping import shape_of
from host.web import cookies
from host.web.actions import is_form, read_input, sent
from host.web.administering import Administration
from host.web.csrf import Csrf
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation, operation_id
from host.web.origins import device_headers, origin_of
from host.web.profiles import Profiles
from host.web.superset import shown_grant, shown_profile

Header = tuple[str, str]
NO_STORE: Header = ("Cache-Control", "no-store")


@dataclass(frozen=True, slots=True)
class Done:
    """What a work answers: values to choose from, and headers."""

    values: Mapping[str, Any]
    headers: list[Header] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to an identity endpoint, with its native input."""

    request: Request
    node: Endpoint
    given: Mapping[str, Any]

    def said(self, text: str) -> str:
        """The endpoint's own message, or else the host's."""
        return self.node.message or text


Work = Callable[[Asked], Done]


@dataclass(frozen=True, eq=False)
class IdentityOperations:
    """The identity endpoints of a site; `is_open` says whether anybody may sign up."""

    accounts: Accounts
    grants: Grants
    csrf: Csrf
    recovery: Recovery
    is_open: bool

    def operations(self) -> Iterator[Operation]:
        """Every operation, the host's own and those of plugins."""
        profiles, staff = Profiles(self.accounts, self.recovery), Administration(self.accounts)
        works: Mapping[str, Work] = {
            "sign_up": self.sign_up, "sign_in": self.sign_in, "refresh": self.refresh, "sign_out": self.sign_out,
            "sign_out_all": self.sign_out_all, "sessions": self.sessions, "end_session": self.end_session,
            "me": lambda asked: Done(shown_profile(self._runtime, profiles.get(asked.request), asked.node.by)),
            "update_me": lambda asked: Done(
                shown_profile(self._runtime, profiles.update(asked.request, asked.given), asked.node.by)
            ),
            "change_password": lambda asked: Done({"message": asked.said(profiles.change_password(asked.request, asked.given))}),
        }  # fmt: skip
        works = {**works, **self._administering(staff)}
        for name, node in self._runtime.registry.declaration.endpoints.items():
            if node.identity is not None:
                yield self._operation(name, node, works[node.identity])

    def _administering(self, staff: Administration) -> Mapping[str, Work]:
        """What administrators do with accounts."""

        def shown(asked: Asked, account: Row) -> Done:
            return Done(shown_profile(self._runtime, account, asked.node.by))

        def rows(asked: Asked) -> Done:
            items = [shown(asked, account).values for account in staff.listed(asked.given)]
            return Done({"items": items, "next": None})

        return {
            "accounts": rows, "account": lambda asked: shown(asked, staff.get(asked.given)),
            "make_account": lambda asked: shown(asked, staff.make(asked.request, asked.given)),
            "change_account": lambda asked: shown(asked, staff.change(asked.request, asked.given)),
            "remove_account": lambda asked: Done({"message": asked.said(staff.remove(asked.request, asked.given))}),
            "set_password": lambda asked: Done({"message": asked.said(staff.set_password(asked.given))}),
        }  # fmt: skip

    # -- in and out --

    def sign_up(self, asked: Asked) -> Done:
        """A new account, signed in."""
        if not self.is_open:
            raise SignUpClosed("nobody can sign up here by themselves; ask the operator for an account")
        self._check_origin(asked)
        account = self.accounts.sign_up(asked.given, request_id=asked.request.id)
        if self.accounts.throttle is not None:
            self.accounts.throttle.know(account["id"], origin_of(asked.request))
        return self.begun(asked, account, "The account has been created")

    def sign_in(self, asked: Asked) -> Done:
        """An account by its password."""
        self._check_origin(asked)
        account = self.accounts.sign_in(
            username=asked.given.get("username"),
            email=asked.given.get("email"),
            password=asked.given.get("password") or "",
            request_id=asked.request.id,
            origin=origin_of(asked.request),
            role=asked.node.role,
        )
        return self.begun(asked, account, "You are signed in")

    def refresh(self, asked: Asked) -> Done:
        """The next pair of tokens, for the refresh token in the body or in a cookie."""
        token = asked.given.get("refresh_token")
        if not token:
            token = cookies.refresh_of(asked.request)
            if not token:
                raise Unauthenticated("send the refresh token as `refresh_token`, or in its cookie")
            self._check_page(asked, self.grants.tokens.refresh(token).session)
        return self._granted(asked, self.grants.renew(token), "The tokens have been renewed")

    def sign_out(self, asked: Asked) -> Done:
        """The end of the session that any credential stands for; without one there is nothing to end."""
        found = self._session(asked)
        if found is not None:
            self.accounts.sessions.end(*found)
        return self._ended(asked, "You are signed out")

    # -- sessions --

    def sign_out_all(self, asked: Asked) -> Done:
        """The end of every session of the account, this one too."""
        self.accounts.sessions.end_all(self._account(asked))
        return self._ended(asked, "You are signed out everywhere")

    def sessions(self, asked: Asked) -> Done:
        """The account's sessions."""
        current = asked.request.actor.session
        rows = self.accounts.sessions.of(self._account(asked))
        return Done({"items": [{**row, "current": row["id"] == current} for row in rows], "next": None})

    def end_session(self, asked: Asked) -> Done:
        """The end of one session of the account, if there is such a one."""
        self.accounts.sessions.end_own(asked.given["id"], self._account(asked))
        if asked.given["id"] == asked.request.actor.session:
            return self._ended(asked, "The session has ended")
        return Done({"message": asked.said("The session has ended")})

    # -- what they share --

    def _account(self, asked: Asked) -> str:
        account: str = self.accounts.get(asked.request.actor.id or "")["id"]  # a plugin's actor may have none
        return account

    def begun(self, asked: Asked, account: Row, message: str) -> Done:
        """A sign-in of an account that somebody has proved to be, in the way that the input asks for."""
        wants_refresh = bool(asked.given.get("refresh"))
        by_cookies = asked.node.cookies or asked.given.get("cookies")
        way = Way(
            "cookie" if by_cookies else "refresh" if wants_refresh else "token",
            None if wants_refresh else asked.node.token,
        )
        grant = self.grants.begin(account, way, visitor_of(asked.request))
        done = self._granted(asked, grant, asked.said(message))
        done.headers.extend(device_headers(asked.request, self.accounts.throttle, account["id"]))
        return done

    def _granted(self, asked: Asked, grant: Grant, message: str) -> Done:
        headers: list[Header] = []
        if grant.kind == "cookie":
            csrf = self.csrf.token(grant.session)
            headers = cookies.granted(asked.request, grant, csrf, self._csrf_names)
        return Done(shown_grant(self._runtime, grant, asked.node.by, asked.said(message)), headers)

    def _ended(self, asked: Asked, message: str) -> Done:
        headers = cookies.cleared(asked.request, self._csrf_names) if asked.request.header("cookie") else []
        return Done({"message": asked.said(message)}, headers)

    def _session(self, asked: Asked) -> tuple[str, str] | None:
        """The session and account of whatever credential was sent. A token in the header has to count."""
        request, tokens = asked.request, self.grants.tokens
        header = bearer_token(request.header("authorization"))
        if header is not None:
            actor = tokens.actor(header)
            return actor.session or "", actor.id or ""
        with suppress(Unauthenticated):  # the access token of a browser may well have expired
            actor = tokens.actor(cookies.access_of(request))
            self._check_page(asked, actor.session or "")
            return actor.session or "", actor.id or ""
        token = asked.given.get("refresh_token")
        with suppress(Unauthenticated):
            found = tokens.refresh(token or cookies.refresh_of(request))
            if not token:
                self._check_page(asked, found.session)
            return found.session, found.account
        return None

    def _check_origin(self, asked: Asked) -> None:
        """A foreign page must not sign its visitors in as somebody."""
        if asked.node.cookies or asked.given.get("cookies"):
            self.csrf.check_origin(asked.request)

    def _check_page(self, asked: Asked, session: str) -> None:
        self.csrf.check(asked.request, asked.node.credential or Credential(), session)

    # -- operations --

    @property
    def _runtime(self) -> Runtime:
        return self.accounts.runtime

    @cached_property
    def _csrf_names(self) -> tuple[str, ...]:
        return cookies.csrf_names(self._runtime.registry.declaration)

    def _operation(self, name: str, node: Endpoint, work: Work) -> Operation:
        plugin, _, noun = name.partition(".")
        is_public = node.access == ("public",)
        details: dict[str, Any] = {"identity": node.identity, "redirect": node.redirect}
        if node.identity == "me":
            details["scope"] = ("account", "me")
        known_as = operation_id(noun, "host.account") if plugin == HOST else operation_id("", name)
        return Operation(
            id=known_as, method=node.method, path=node.path, kind="identity", plugin=plugin,
            handler=partial(self._handle, name, node, work), summary=node.doc or noun.replace("_", " ").capitalize(),
            access=node.access, is_public=is_public, is_open=is_public,
            status=node.status or 200, input=sent(node, node.path), unknown=node.unknown, out=node.out,
            errors=node.errors, credential=node.credential, media=node.media, is_alone=node.alone, details=details,
        )  # fmt: skip

    def _handle(self, name: str, node: Endpoint, work: Work, request: Request) -> Answer:
        given = read_input(self._runtime, request, node, f"{camel(name)}Input", WireValues(), node.unknown)
        if not self._runtime.policy.actor_may("host", node.access, facts_of(request.actor)):
            raise Forbidden("you may not do this")
        done = work(Asked(request, node, given))
        if node.redirect and (node.method == "GET" or is_form(request, node)):
            return Answer(303, b"", None, [("Location", node.redirect), NO_STORE, *done.headers])
        if node.out is None or node.out.type == "none":
            return Answer(node.status or 204, b"", None, [NO_STORE, *done.headers])
        values: Any = done.values["items"] if node.out.type == "list" else done.values
        shown = shape_of(self._runtime.context(SYSTEM), node.out, None)(values)
        return json_answer(shown, node.status or 200, [NO_STORE, *done.headers])


def visitor_of(request: Request) -> Visitor:
    """Where a sign-in comes from."""
    return Visitor(request.header("user-agent") or "", request.remote, request.id)
