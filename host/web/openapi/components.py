"""Named parts of the document: each name stands for one thing, whatever the order in which they are met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apispec import APISpec

from host.errors import ConfigurationError

Json = dict[str, Any]


class Components:
    """Adds schemas and responses to the document, and refuses two different ones of one name."""

    def __init__(self, spec: APISpec) -> None:
        self.spec = spec
        self._schemas: dict[str, Json] = {}
        self._responses: dict[str, Json] = {}

    def schema(self, names: Iterable[str], content: Json) -> Json:
        """A reference to the schema, under the first of these names that is free or already stands for it."""
        tried = list(dict.fromkeys(names))
        for name in tried:
            if self._schemas.setdefault(name, content) == content:
                if name not in self.spec.components.schemas:
                    self.spec.components.schema(name, content)
                return {"$ref": f"#/components/schemas/{name}"}
        raise ConfigurationError(
            f"two different schemas of the document would be called {tried[-1]}: rename one of the types"
        )

    def marshmallow(self, name: str, schema: Any, more: Json) -> Json:
        """A reference to a marshmallow schema; `more` is added to what it says."""
        if name not in self._schemas:
            self.spec.components.schema(name, more, schema=schema)
            self._schemas[name] = self.spec.components.schemas[name]
        return {"$ref": f"#/components/schemas/{name}"}

    def has_schema(self, name: str) -> bool:
        """Whether a schema of that name has been added."""
        return name in self._schemas

    def content(self, reference: Mapping[str, Any]) -> Json:
        """What a reference to a schema stands for."""
        return self._schemas[reference["$ref"].rpartition("/")[2]]

    def response(self, name: str, content: Json) -> Json:
        """A reference to a response."""
        if name not in self._responses:
            self._responses[name] = content
            self.spec.components.response(name, content)
        return {"$ref": f"#/components/responses/{name}"}
