"""Named parts of the document: each name stands for one thing, whatever the order in which they are met."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from apispec import APISpec

from host.errors import ConfigurationError

Json = dict[str, Any]


class Components:
    """Adds schemas and responses to the document, and refuses two different ones of one name.

    `reserved` are the names of resources: what has another name to fall back on leaves them alone.
    """

    def __init__(self, spec: APISpec, reserved: Collection[str] = ()) -> None:
        self.spec, self._reserved = spec, frozenset(reserved)
        self._schemas: dict[str, Json] = {}
        self._responses: dict[str, Json] = {}
        self._marshmallow: dict[int, tuple[Any, str]] = {}  # by id: the schema, which is held, and its name

    def schema(self, names: Iterable[str], content: Json) -> Json:
        """A reference to the schema, under the first of these names that is free or already stands for it."""
        tried = list(dict.fromkeys(names))
        for name in tried:
            if name in self._reserved and name != tried[-1]:
                continue
            if self._schemas.setdefault(name, content) == content:
                if name not in self.spec.components.schemas:
                    self.spec.components.schema(name, content)
                return _reference(name)
        raise _clash(tried[-1])

    def marshmallow(self, name: str, schema: Any, more: Json) -> Json:
        """A reference to a marshmallow schema that has not been added; `more` is added to what it says."""
        if name in self._schemas:
            raise _clash(name)
        self._marshmallow[id(schema)] = (schema, name)
        self.spec.components.schema(name, more, schema=schema)
        self._schemas[name] = self.spec.components.schemas[name]
        return _reference(name)

    def known(self, schema: Any) -> Json | None:
        """The reference to a marshmallow schema that has been added."""
        found = self._marshmallow.get(id(schema))
        return _reference(found[1]) if found is not None else None

    def content(self, reference: Mapping[str, Any]) -> Json:
        """What a reference to a schema stands for."""
        return self._schemas[reference["$ref"].rpartition("/")[2]]

    def response(self, name: str, content: Json) -> Json:
        """A reference to a response."""
        if name not in self._responses:
            self._responses[name] = content
            self.spec.components.response(name, content)
        return {"$ref": f"#/components/responses/{name}"}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _clash(name: str) -> ConfigurationError:
    return ConfigurationError(f"two schemas of the document would be called {name}: rename one of the types")
