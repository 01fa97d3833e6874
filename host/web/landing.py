"""The small pages that mailed links open. Showing one uses nothing up: programs that look through mail follow links, too.

The form on it sends what the link holds; that is what acts. Nothing here needs a script, a cookie or another server.
"""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import parse_qsl

from host.errors import BadRequest, RequestError
from host.web.http import Answer, Request

FORM: Final = "application/x-www-form-urlencoded"
HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),  # the address holds the link's secret
    ("X-Robots-Tag", "noindex"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
PASSWORD: Final = (
    '<label for="password">New password</label>'
    '<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="1024" required>'
)


def page(site: str, title: str, text: str, form: str = "", status: int = 200) -> Answer:
    """A page; `form` is HTML of the host's own making, everything else is escaped."""
    shown = {"site": escape(site), "title": escape(title), "text": escape(text), "form": form}
    body = _template().substitute(shown).encode(errors="replace")
    return Answer(status, body, "text/html; charset=utf-8", list(HEADERS))


def form(path: str, token: str, fields: str, button: str) -> str:
    """A form that sends the link's text to a path of the host."""
    return (
        f'<form method="post" action="{escape(path)}"><input type="hidden" name="token" value="{escape(token)}">'
        f'{fields}<button type="submit">{escape(button)}</button></form>'
    )


def failed(site: str, error: RequestError, form_again: str) -> Answer:
    """The page after something was wrong, with the form again."""
    text = error.errors[0].detail if error.errors else error.detail
    answer = page(site, error.title, text, form_again, error.status)
    answer.headers += list(error.headers.items())
    return answer


def is_form(request: Request) -> bool:
    """Whether the body comes from a page's form."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM


def form_values(request: Request) -> dict[str, str]:
    """What a form has sent."""
    try:
        return dict(
            parse_qsl(request.body().decode(), keep_blank_values=True, max_num_fields=10, errors="strict")
        )
    except ValueError:
        raise BadRequest("the form cannot be read") from None


def token_in(request: Request) -> str:
    """The secret in the address of a link."""
    try:
        return dict(parse_qsl(request.query, max_num_fields=10)).get("token", "")[:200]
    except ValueError:
        return ""


@cache
def _template() -> Template:
    return Template((files("host.web") / "pages" / "link.html").read_text(encoding="utf-8"))
