"""The Flask application behind the door: the document, Swagger UI over it with local assets, and the landing page.

`application` makes it once; the document is built when it is first asked for and kept. Errors of Flask become the host's.
"""

from __future__ import annotations

from hashlib import blake2b
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
from flask import Flask, Response, make_response, render_template, request, send_from_directory
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from host import errors
from host.errors import HostError, RequestError

if TYPE_CHECKING:
    from host.application import App

ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-16x16.png", "favicon-32x32.png")
PAGES = {"start.js": "text/javascript", "site.css": "text/css"}
# What Swagger UI needs, and no more: nothing inline, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Document:
    """The OpenAPI document of one app, as bytes, built when first needed."""

    def __init__(self, app: App, flask: Flask) -> None:
        self._app, self._flask = app, flask
        self._bytes: bytes | None = None
        self._lock = Lock()

    def content(self) -> bytes:
        """The document."""
        if self._bytes is None:
            with self._lock:
                if self._bytes is None:
                    self._bytes = orjson.dumps(build_document(self._app, self._flask))
        return self._bytes


def build_document(app: App, flask: Flask | None = None) -> dict[str, Any]:
    """The document as a dictionary."""
    from host.web.openapi.api import HostApi  # loads flask-smorest and apispec
    from host.web.openapi.building import DocumentBuilder

    declaration = app.runtime.registry.declaration
    api = HostApi(flask or Flask("host.web"), declaration.site.name, site_version(app), info=_info(app))
    DocumentBuilder(api.spec, api.declared_plugin, app.runtime).build(app.operations)
    return api.spec.to_dict()


def site_version(app: App) -> str:
    """The version of the host that serves the site."""
    manifests = {plugin.name: plugin.manifest for plugin in app.runtime.registry.declaration.plugins}
    return (manifests["host"].version if "host" in manifests else "") or "0"


def _info(app: App) -> dict[str, Any]:
    return {
        "description": "Every operation answers errors as `application/problem+json` (RFC 9457).",
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def make_flask(app: App) -> Flask:
    """Flask with the documents of an app."""
    flask = Flask("host.web", static_folder=None)
    flask.url_map.merge_slashes = False  # `//x` is not found, and never a redirect
    flask.config["PROPAGATE_EXCEPTIONS"] = True  # up to the pipeline, which answers them
    document = Document(app, flask)
    folder = assets_folder()
    site = app.runtime.registry.declaration.site.name

    def page(name: str, **values: Any) -> Response:
        answer = make_response(render_template(name, site=site, **values))
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    def openapi() -> Response:
        content = document.content()
        answer = Response(content, mimetype="application/json")
        answer.set_etag(blake2b(content, digest_size=8).hexdigest())
        answer.make_conditional(request)
        return answer

    def asset(name: str) -> Response:
        if name in PAGES:
            return Response((files("host.web") / "pages" / name).read_bytes(), mimetype=PAGES[name])
        if name not in ASSETS:
            raise errors.NotFound("there is no such asset")
        return send_from_directory(folder, name, max_age=3600)

    flask.add_url_rule("/", "landing", lambda: page("landing.html"))
    flask.add_url_rule("/docs", "docs", lambda: page("docs.html"))
    flask.add_url_rule("/docs/<name>", "asset", asset)
    flask.add_url_rule("/openapi.json", "openapi", openapi)
    flask.register_error_handler(HTTPException, refuse)
    return flask


def assets_folder() -> Path:
    """Where flask-swagger-ui keeps Swagger UI; the package itself is not imported."""
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise errors.ConfigurationError("the package flask-swagger-ui is not installed")
    return Path(spec.origin).parent / "dist"


def refuse(error: HTTPException) -> NoReturn:
    """Flask's and Werkzeug's errors as the host's, which the pipeline answers as problem+json."""
    raise host_error(error) from error


def host_error(error: HTTPException) -> HostError:
    """The host's error of the same status, with the headers that belong to it."""
    if isinstance(error, MethodNotAllowed):
        return errors.MethodNotAllowed(sorted(error.valid_methods or ()))
    if isinstance(error, NotFound):
        return errors.NotFound("there is nothing at this path")
    known = {case.status: case for case in reversed(RequestError.__subclasses__())}
    status = error.code or 500
    case = known.get(status)
    found = case(error.description or "") if case is not None else HostError(error.description or "")
    if case is None:
        found.status = status  # type: ignore[misc]  # of this one error alone
    kept = ("Retry-After", "WWW-Authenticate")
    found.headers = {**found.headers, **{name: value for name, value in error.get_headers() if name in kept}}
    return found
