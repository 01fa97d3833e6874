"""Endpoints whose work is the host's: a plugin's own sign-in surface over the one identity. `operations` calls it.

`in` and `out` choose names out of what the host takes and answers, so that neither can drift from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from host.declaration.nodes import Endpoint, Expression, Field, TypeRef, Wire
from host.declaration.problems import did_you_mean
from host.declaration.workspace import ACCOUNT, HOST, Workspace, owner_of

# The host's types of what each takes and answers.
INPUTS: Final[Mapping[str, str]] = {
    "sign_up": "sign_up", "sign_in": "sign_in", "refresh": "refreshing", "update_me": "profile_change",
    "change_password": "password_change", "sign_out": "refreshing", "end_session": "session_choice",
    "accounts": "account_slice", "account": "account_choice", "make_account": "account_made",
    "change_account": "account_changed", "remove_account": "account_choice", "set_password": "password_set",
}  # fmt: skip
OUTPUTS: Final[Mapping[str, str]] = {
    "sign_up": "signed_in", "sign_in": "signed_in", "refresh": "signed_in", "me": "profile", "update_me": "profile",
    "change_password": "done", "sign_out": "done", "sign_out_all": "done", "end_session": "done",
    "sessions": "session_list", "accounts": "account_list", "account": "profile", "make_account": "profile",
    "change_account": "profile", "remove_account": "done", "set_password": "done",
}  # fmt: skip
OPEN: Final = ("sign_up", "sign_in", "sign_out", "refresh")  # who asks is found by the work itself
NEEDS_NOTHING: Final = ("sign_out", "refresh", "accounts")
ADMINISTERING: Final = (
    "accounts", "account", "make_account", "change_account", "remove_account", "set_password",
)  # fmt: skip
GIVING: Final = ("sign_up", "sign_in", "refresh")  # what answers a token
ONLY_HERE: Final = ("by", "message", "token", "cookies", "redirect", "role")
KEYS: Final = ("id", "user_id")
SHORTEST_TOKEN: Final = 60
WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_work(ws: Workspace, endpoint: Endpoint, path: str) -> None:
    """Note an endpoint that does nothing, or two things, and what means nothing without `identity`."""
    place = endpoint.place
    if endpoint.identity:
        for key in ("call", "access", "detached", "write"):
            if key in place.keys:
                message = f"`{key}` contradicts `identity`, whose work is the host's"
                ws.problems.add("conflict", place.name(key), path, message)
        return
    for key in ("call", "access"):
        if key not in place.keys:
            ws.problems.add("missing_key", place, path, f'the key "{key}" is missing')
    for key in ONLY_HERE:
        if key in place.keys:
            message = f"`{key}` has no meaning without `identity`"
            ws.problems.add("out_of_place", place.name(key), path, message)


def with_identity(ws: Workspace, name: str, endpoint: Endpoint, path: str) -> Endpoint:
    """An identity endpoint with the host's types where it names none of its own, its access and its token's life."""
    work = str(endpoint.identity)
    _check_redirect(ws, endpoint, path)
    if endpoint.role and work != "sign_in":
        message = "only `sign_in` admits by role"
        ws.problems.add("out_of_place", endpoint.place.name("role"), f"{path}.role", message)
    return replace(
        endpoint,
        access=(_admitted(work),),
        input=endpoint.input or _of_host(INPUTS.get(work), is_required=work not in NEEDS_NOTHING),
        out=endpoint.out or _of_host(OUTPUTS[work]),
        write=False,
        token=_seconds(ws, endpoint, owner_of(name), path),
    )


def _admitted(work: str) -> Expression:
    if work in ADMINISTERING:
        return Expression("role('admin')")
    return Expression("public" if work in OPEN else "authenticated")


def check_names(ws: Workspace, endpoint: Endpoint, path: str) -> None:
    """Note names in the linked `in` and `out` that the host neither takes nor answers."""
    work = str(endpoint.identity)
    if endpoint.input is not None:
        known = set(ws.types[f"{HOST}.{INPUTS[work]}"].fields) if work in INPUTS else set()
        _check_known(ws, endpoint.input, known, f"{path}.in", "takes")
    out = endpoint.out
    if work == "accounts" and out is not None and out.type == "list":
        out = out.of
    if out is None or out.type != "object":
        return
    account = {key for key, field in ws.resources[ACCOUNT].fields.items() if not field.secret}
    known = {*ws.types[f"{HOST}.{OUTPUTS[work]}"].fields}
    if OUTPUTS[work] in ("signed_in", "profile", "account_list"):
        known |= {*account, *ws.types[f"{HOST}.profile"].fields, "user"}
    _check_known(ws, out, known, f"{path}.out", "answers")
    _check_keys(ws, endpoint, out, f"{path}.out")
    user = next((field for key, field in out.fields.items() if key == "user"), None)
    if user is not None and user.fields:
        _check_known(ws, user, known - {"user"}, f"{path}.out.fields.user", "answers")
        _check_keys(ws, endpoint, user, f"{path}.out.fields.user")


def check_credential(ws: Workspace, node: Wire | Endpoint, path: str) -> None:
    """Note names that no cookie or header can have, and those that nothing is sent under."""
    credential = node.credential
    if credential is None:
        return
    for key in ("csrf_cookie", "csrf_header"):
        place = credential.place.of(key)
        if not WORD.fullmatch(getattr(credential, key)):
            message = "a name of letters, digits, - and _, at most 64 characters"
            ws.problems.add("bad_form", place, f"{path}.credential.{key}", message)
        if key in credential.place.keys and not credential.cookie:
            message = f"`{key}` has no meaning without `cookie: true`"
            ws.problems.add("out_of_place", credential.place.name(key), f"{path}.credential", message)


def _of_host(name: str | None, *, is_required: bool = False) -> Field | None:
    return Field(type=TypeRef(f"{HOST}.{name}"), required=is_required) if name else None


def _check_known(ws: Workspace, node: Field, known: Iterable[str], path: str, verb: str) -> None:
    known = sorted(known)
    for key, field in node.fields.items():
        if key not in known:
            message = f'there is no "{key}" that the host {verb} here{did_you_mean(key, known)}'
            ws.problems.add("unknown_field", field.place, f"{path}.fields.{key}", message)


def _check_keys(ws: Workspace, endpoint: Endpoint, node: Field, path: str) -> None:
    if endpoint.by is None:
        return
    fitting = (
        ("integer",)
        if endpoint.by == "number"
        else ("string", "uuid")
        if endpoint.by == "id"
        else ("string",)
    )
    for key, field in node.fields.items():
        if key in KEYS and field.type not in fitting:
            message = f"by {endpoint.by}, the account's key is {' or '.join(fitting)}"
            ws.problems.add("value", field.place, f"{path}.fields.{key}", message)


def _check_redirect(ws: Workspace, endpoint: Endpoint, path: str) -> None:
    target = endpoint.redirect
    if target is None:
        return
    place = endpoint.place.of("redirect")
    if not target.startswith("/") or "{" in target:
        message = "a form is sent on to a fixed path of this site, such as /dashboard/"
        ws.problems.add("bad_form", place, f"{path}.redirect", message)
    if "form" not in endpoint.media and endpoint.method != "GET":
        message = "only a form is sent on: add `form` to `media`"
        ws.problems.add("out_of_place", endpoint.place.name("redirect"), path, message)


def _seconds(ws: Workspace, endpoint: Endpoint, plugin: str, path: str) -> int | None:
    """The life of the token, looked up where it is the plugin's setting."""
    given: Any = endpoint.token
    if given is None:
        return None
    place, path = endpoint.place.of("token"), f"{path}.token"
    if endpoint.identity not in GIVING[:2]:
        ws.problems.add("out_of_place", place, path, "only `sign_up` and `sign_in` give a token of their own")
        return None
    if isinstance(given, str):
        source = ws.plugins.get(plugin)
        declared = source.manifest.settings.items() if source is not None else ()
        known = [str(key) for key, field in declared if field.type == "integer"]
        if given not in known:
            message = f'there is no integer setting "{given}"{did_you_mean(given, known)}'
            ws.problems.add("unknown_setting", place, path, message)
            return None
        given = ws.settings.get(plugin, {}).get(given)
    if type(given) is not int or not SHORTEST_TOKEN <= given < 2**31:
        message = f"a token counts for a whole number of seconds, at least {SHORTEST_TOKEN}"
        ws.problems.add("value", place, path, message)
        return None
    return given
