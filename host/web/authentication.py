"""Who asks: plugins' own ways first, then the host's token. One place for every door; `application` makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import pluggy

from host.actor import Actor
from host.auth.accounts import Accounts
from host.auth.api_keys import ApiKeys
from host.auth.bearer import bearer_token
from host.auth.codec import TokenCodec
from host.auth.grants import Grants
from host.auth.passwords import Passwords
from host.auth.recovery import Recovery
from host.auth.refresh import Rotation
from host.auth.states import SessionStates
from host.auth.throttling import Throttle
from host.auth.tokens import Tokens
from host.compiler.models import ACCOUNT
from host.service.runtime import Runtime
from host.settings import Settings
from host.web.accounts import IdentityOperations
from host.web.api_keys import key_authenticator
from host.web.cookies import access_of
from host.web.csrf import Csrf
from host.web.http import Request
from host.web.operations import Operation
from host.web.recovering import make_recovery

Authenticate = Callable[[Request], Actor | None]


@dataclass(frozen=True, eq=False)
class Authentication:
    """The identity of one app: who signs up, who signs in, and who a request comes from."""

    settings: Settings
    accounts: Accounts
    grants: Grants
    keys: ApiKeys
    recovery: Recovery
    csrf: Csrf
    authenticators: tuple[Authenticate, ...]  # asked in order; the first answer counts

    @classmethod
    def make(
        cls, runtime: Runtime, settings: Settings, hooks: pluggy.PluginManager | None = None
    ) -> Authentication:  # fmt: skip
        """Put the parts together; connects to nothing yet."""
        states = SessionStates(runtime)
        tokens = Tokens(TokenCodec(settings.secret), states)
        throttle = Throttle(runtime, settings.sign_in, settings.secret)
        passwords = Passwords.of(runtime.registry, settings.identity.password_min)
        accounts = Accounts(runtime, passwords, states.forget, throttle)
        grants = Grants(
            tokens, accounts.sessions, Rotation(accounts.sessions), settings.identity,
            verified_only=settings.recovery.verified_only,
        )  # fmt: skip
        keys = ApiKeys(runtime)
        recovery = make_recovery(runtime, settings, accounts, keys)
        accounts = replace(accounts, greet=recovery.welcome)
        csrf = Csrf(settings.secret, trusted_origins(settings))
        own = (key_authenticator(keys), token_authenticator(tokens), cookie_authenticator(tokens, csrf))
        return cls(
            settings, accounts, grants, keys, recovery, csrf, (*plugins_authenticators(runtime, hooks), *own)
        )

    @property
    def tokens(self) -> Tokens:
        """What turns a token into an actor."""
        return self.grants.tokens

    @cached_property
    def identity(self) -> IdentityOperations:
        """Signing up, in and out."""
        is_open = self.settings.identity.sign_up
        return IdentityOperations(self.accounts, self.grants, self.csrf, self.recovery, is_open=is_open)

    def operations(self) -> Iterable[Operation]:
        """The operations below `/api/auth`, and plugins' own sign-in surfaces."""
        return self.identity.operations()


def token_authenticator(tokens: Tokens) -> Authenticate:
    """The host's own way: a token in the Authorization header."""

    def authenticate(request: Request) -> Actor | None:
        token = bearer_token(request.header("authorization"))
        return None if token is None else tokens.actor(token)

    return authenticate


def cookie_authenticator(tokens: Tokens, csrf: Csrf) -> Authenticate:
    """The access token in a cookie, where the operation lets cookies count; what changes something wants the CSRF header."""

    def authenticate(request: Request) -> Actor | None:
        credential = request.operation.credential if request.operation is not None else None
        if credential is None or not credential.cookie:
            return None
        token = access_of(request)
        if not token:
            return None
        actor = tokens.actor(token)
        csrf.check(request, credential, actor.session)
        return actor

    return authenticate


def trusted_origins(settings: Settings) -> tuple[str, ...]:
    """Other origins whose pages may send cookies: those that may also read the answers with them."""
    chosen = settings.protection
    return tuple(it for it in chosen.origins if it != "*") if chosen.credentials else ()


def plugins_authenticators(runtime: Runtime, hooks: pluggy.PluginManager | None) -> tuple[Authenticate, ...]:
    """The hook `authenticate`, where any plugin implements it."""
    if hooks is None or not hooks.hook.authenticate.get_hookimpls():
        return ()
    call = hooks.hook.authenticate
    nothing = dict.fromkeys(runtime.registry.model(ACCOUNT).attributes)

    def authenticate(request: Request) -> Actor | None:
        actor: Actor | None = call(request=request)
        # Rules may ask for any field of an account; what the plugin does not know of it is absent.
        return None if actor is None else replace(actor, account={**nothing, **actor.account})

    return (authenticate,)
