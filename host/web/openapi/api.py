"""flask-smorest's `Api` as the host uses it: an APISpec whose marshmallow plugin reads declared fields.

Made on the first request for the document. Routing, errors and paging are the host's own, so nothing is registered in Flask.
"""

from __future__ import annotations

from typing import Any

from apispec import APISpec, BasePlugin
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api

from host.compiler.answers import Answered
from host.compiler.schemas import camel
from host.web.openapi.components import Json
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas

OPENAPI = "3.1.0"


class DeclaredPlugin(MarshmallowPlugin):
    """Turns marshmallow fields into JSON Schema by the declared fields that they were made of."""

    def use(self, values: ValueSchemas) -> None:
        """Ask these for every field, in place of what apispec would guess from classes and validators."""

        def declared2property(converter: Any, field: Any, **_: Any) -> Json:
            if isinstance(field, Answered):
                return answered_property(values, field)
            declared = field.metadata["field"]
            style = Style.taken(field.metadata["values"], field.metadata["unknown"])
            return values.of(declared, style, field.metadata["name"], nullable=field.allow_none)

        assert self.converter is not None  # APISpec has made it
        self.converter.attribute_functions = [declared2property.__get__(self.converter)]


def answered_property(values: ValueSchemas, field: Answered) -> Json:
    """The schema of one key of an answered row."""
    output = field.output
    if output.value is None:
        return {"const": output.constant}
    name = f"{type(field.parent).__name__}{camel(output.key)}"
    return values.of(output.field, Style.answered(field.form), name, nullable=output.is_nullable)


class HostApi(Api):  # type: ignore[misc]  # flask-smorest publishes no types
    """The specification of one app."""

    spec: APISpec

    def __init__(self, flask: Flask, title: str, version: str, **options: Any) -> None:
        self.declared_plugin = DeclaredPlugin()
        super().__init__(
            flask,
            spec_kwargs={
                "title": title, "version": version, "openapi_version": OPENAPI,
                "flask_plugin": BasePlugin(), "marshmallow_plugin": self.declared_plugin, **options,
            },
        )  # fmt: skip

    def _register_doc_blueprint(self) -> None:
        """The pages are `web.documents`'s."""

    def _register_error_handlers(self) -> None:
        """Errors are the pipeline's."""

    def _register_responses(self) -> None:
        """Answers are described operation by operation, errors as problem+json."""

    def _register_etag_headers(self) -> None:
        """Conditional headers are described where they count."""

    def _register_pagination_header(self) -> None:
        """Pages are linked by `Link` and `next`."""
