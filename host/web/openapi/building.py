"""Building the document: every operation with its parameters, bodies, answers and errors.

A kind of operation that is not known here says in `details["document"]` what its path item holds; everything else about
it (errors, tag, security) is said here all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from host.compiler.answers import answer_name
from host.compiler.schemas import camel
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Field, WireValues
from host.service.runtime import Runtime
from host.web.http import FORM, JSON
from host.web.lists import is_bare
from host.web.openapi.components import Components, Json
from host.web.openapi.credentials import csrf_header, schemes, security
from host.web.openapi.errors import ErrorAnswers, cases_of
from host.web.openapi.files import FileParts
from host.web.openapi.many import ManyRows
from host.web.openapi.parameters import (
    ListParameters,
    idempotency_key,
    if_match,
    if_none_match,
    input_parameters,
    path_parameter,
)
from host.web.openapi.shapes import Shapes
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas
from host.web.openapi.webhooks import webhooks
from host.web.operations import Operation
from host.web.resources import is_partial

if TYPE_CHECKING:
    from apispec import APISpec

MEDIA = {"json": JSON, "form": FORM}
MERGE_PATCH = "application/merge-patch+json"
Part = tuple[list[Json], Json | None, Json]  # parameters, request body, responses of success


class DocumentBuilder:
    """Fills a specification with the operations of one app."""

    def __init__(self, spec: APISpec, plugin: Any, runtime: Runtime) -> None:
        registry = runtime.registry
        self.spec, self.runtime, self.registry = spec, runtime, registry
        wires = [wire for found in registry.wires.values() for wire in found]
        self.components = Components(spec, [answer_name(wire) for wire in wires])
        self.values = ValueSchemas(registry.kinds, self.components)
        self.shapes = Shapes(registry, runtime.policy, self.components, self.values)
        self.files = FileParts(self.components, self.values, self.shapes)
        self.errors = ErrorAnswers(self.components)
        plugin.use(self.values)
        self._makers: Mapping[str, Callable[[Operation, CompiledWire], Part]] = {
            "list": self._list, "get": self._get, "create": self._create, "update": self._update, "delete": self._delete,
            **ManyRows(registry, self.components, self.values, self.shapes).makers(), **self.files.makers(),
        }  # fmt: skip

    def build(self, operations: Iterable[Operation]) -> None:
        """Add everything."""
        operations = list(operations)
        for name, scheme in schemes(operations).items():
            self.spec.components.security_scheme(name, scheme)
        tags: dict[str, str] = {}
        for operation in operations:
            tags.setdefault(tag_of(operation), self._tag_doc(operation))
            self._add(operation)
        for name, doc in tags.items():
            self.spec.tag({"name": name, "description": doc})
        if told := webhooks(self.registry, self.values):
            self.spec.options["webhooks"] = told

    def _tag_doc(self, operation: Operation) -> str:
        if operation.wire is not None:
            model = operation.wire.model
            return model.declared.doc or f"The {model.noun.replace('_', ' ')}s of {model.plugin}."
        plugins = {plugin.name: plugin.manifest.doc for plugin in self.registry.declaration.plugins}
        return plugins.get(operation.plugin) or f"Operations of {operation.plugin}."

    def _add(self, operation: Operation) -> None:
        said = self._operation(operation)
        for index, path in enumerate((operation.path, *operation.paths)):
            own = {**said, "operationId": operation.id + (f"Path{index + 1}" if index else "")}
            self.spec.path(path=path, operations={operation.method.lower(): own})

    def _operation(self, operation: Operation) -> Json:
        parameters, body, answers = self._parts(operation)
        base = camel(operation.wire.model.name) if operation.wire is not None else camel(operation.id)
        inner = [
            path_parameter(self.values, name, operation.parameters.get(name), base)
            for name in path_names(operation.path)
        ]
        if operation.repeats is not None:
            parameters = [*parameters, idempotency_key(is_required=operation.repeats.is_required)]
        said: Json = {"tags": [tag_of(operation)], "summary": operation.summary}
        doc = self._doc(operation)
        if doc:
            said["description"] = doc
        headers = csrf_header(operation)
        if inner or parameters or headers:
            said["parameters"] = [*inner, *parameters, *headers]
        if body is not None:
            said["requestBody"] = body
        said["responses"] = {
            **self.errors.all(
                cases_of(operation, has_body=body is not None, has_query=_has_query(parameters)),
                operation.errors,
            ),
            **answers,
        }
        said["responses"] = dict(sorted(said["responses"].items()))
        said["security"] = security(operation)
        return said

    def _doc(self, operation: Operation) -> str:
        parts = [operation.doc or ""]
        if operation.access:
            parts.append(f"Access: {', or '.join(f'`{rule}`' for rule in operation.access)}.")
        if operation.slash:
            parts.append("Also served with a slash at the end.")
        return " ".join(part for part in parts if part and part != operation.summary)

    def _parts(self, operation: Operation) -> Part:
        document = operation.details.get("document")
        if document is not None:
            return (
                list(document.get("parameters", ())),
                document.get("requestBody"),
                dict(document["responses"]),
            )
        maker = self._makers.get(operation.kind)
        if maker is not None and operation.wire is not None:
            return maker(operation, operation.wire)
        return self._action(operation)

    # -- generated operations --

    def _list(self, operation: Operation, wire: CompiledWire) -> Part:
        headers = {"Link": _header('The next page: `<…>; rel="next"`.')}
        if wire.declared.list.form == "array" or is_bare(wire):
            headers["X-Total-Count"] = _header("How many rows there are, with `count=exact`.", "integer")
        parameters = list(ListParameters(wire, self.values, self.registry).all())
        return parameters, None, {"200": _answer("A page of rows.", self.shapes.page(wire), headers)}

    def _get(self, operation: Operation, wire: CompiledWire) -> Part:
        parameters = [*ListParameters(wire, self.values, self.registry).choice(), if_none_match()]
        answers = {
            "200": _answer("The row.", self.shapes.part(wire), _etag()),
            "304": {"description": "The copy at hand is still good.", "headers": _etag()},
        }
        return parameters, None, answers

    def _create(self, operation: Operation, wire: CompiledWire) -> Part:
        schema = self.shapes.taken(self.registry.schemas.create(wire))
        headers = {"Location": _header("Where the row is.")}
        if wire.create.body == "row":
            headers |= _etag()
        answer = _answer("The row was stored.", self.shapes.written(wire, wire.create), headers)
        body = self.files.with_form(_body(schema), wire, schema, "Create")
        return [], body, {str(operation.status): answer}

    def _update(self, operation: Operation, wire: CompiledWire) -> Part:
        schemas = self.registry.schemas
        partial = is_partial(wire.update, operation.method)
        schema = self.shapes.taken(schemas.patch(wire) if partial else schemas.replace(wire))
        types = (JSON, MERGE_PATCH) if operation.method == "PATCH" else (JSON,)
        headers = _etag() if wire.update.body == "row" else {}
        answer = _answer("The row was changed.", self.shapes.written(wire, wire.update), headers)
        body = self.files.with_form(_body(schema, types), wire, schema, "Patch" if partial else "Replace")
        return [self._if_match(wire)], body, {str(operation.status): answer}

    def _delete(self, operation: Operation, wire: CompiledWire) -> Part:
        answer = _answer("The row is gone.", self.shapes.written(wire, wire.delete), {})
        taken = self.registry.schemas.removal(wire)
        body = _body(self.shapes.taken(taken), is_required=False) if taken is not None else None
        return [self._if_match(wire)], body, {str(operation.status): answer}

    def _if_match(self, wire: CompiledWire) -> Json:
        versioned = wire.model.declared.mixins.versioned
        return if_match(is_required=versioned is not None and versioned.required)

    # -- actions and endpoints --

    def _action(self, operation: Operation) -> Part:
        base = operation.id[:1].upper() + operation.id[1:]
        wire = operation.wire
        style = Style.taken(wire.declared.values if wire is not None else WireValues(), operation.unknown)
        parameters: list[Json] = []
        body = None
        if operation.input is not None and operation.method == "GET":
            parameters = list(input_parameters(operation.input, self.values, style, base))
        elif operation.input is not None:
            schema = self.values.bare(operation.input, style, base)
            types = tuple(MEDIA[media] for media in operation.media)
            body = _body(schema, types, is_required=self._needs_body(operation.input))
        answers: Json = {str(operation.status): self._result(operation, base)}
        target = operation.details.get("redirect")
        if target:
            answers["303"] = {"description": "Sent on.", "headers": {"Location": _header(f"`{target}`")}}
        return parameters, body, answers

    def _result(self, operation: Operation, base: str) -> Json:
        out = operation.out
        if out is None or out.type == "none":
            return {"description": "Done."}
        if out.type in ("file", "stream"):
            content: Json = {"*/*": {"schema": {}}}
            return {"description": "The bytes.", "content": content}
        name = f"{base}Answer"
        answer = _answer(self._said(out), self.shapes.result(out, operation.wire, name), {})
        return {**answer, **_job_asked_for()} if operation.status == 202 else answer

    def _needs_body(self, node: Field) -> bool:
        inner = node.fields.values()
        return node.required or any(field.required and field.default is None for field in inner)

    def _said(self, out: Field) -> str:
        return out.doc or "The result."


def _has_query(parameters: Iterable[Json]) -> bool:
    return any(parameter.get("in") == "query" for parameter in parameters)


def tag_of(operation: Operation) -> str:
    """The one tag of an operation: its resource, or its plugin."""
    return operation.wire.model.name if operation.wire is not None else operation.plugin


def path_names(path: str) -> list[str]:
    """The names of the parameters in a path, in order."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _body(schema: Json, types: tuple[str, ...] = (JSON,), *, is_required: bool = True) -> Json:
    return {"required": is_required, "content": {media: {"schema": schema} for media in types}}


def _answer(doc: str, schema: Json | None, headers: Json) -> Json:
    found: Json = {"description": doc}
    if schema is not None:
        found["content"] = {JSON: {"schema": schema}}
    return {**found, "headers": headers} if headers else found


def _header(doc: str, kind: str = "string") -> Json:
    return {"schema": {"type": kind}, "description": doc}


def _job_asked_for() -> Json:
    """What stands beside the answer to an operation that a job carries out."""
    headers = {
        "Location": _header("Where the job can be asked for."),
        "Retry-After": _header("Seconds until it is worth asking.", "integer"),
    }
    job = {"operationId": "getHostJob", "parameters": {"id": "$response.body#/id"}}
    return {"headers": headers, "links": {"job": job}}


def _etag() -> Json:
    return {"ETag": _header("The version of the row, for `If-Match` and `If-None-Match`.")}
