"""The OpenAPI document and the pages over it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apispec import APISpec
from jsonschema import Draft202012Validator
from marshmallow import Schema
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from host.errors import ConfigurationError
from host.testing.sites import Site
from host.web.documents import ASSETS, PAGES, POLICY, build_document
from host.web.openapi.components import Components

SITE = Path(__file__).parents[1] / "conformance" / "site"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site.make(SITE, f"sqlite:///{tmp_path_factory.mktemp('documents') / 'host.db'}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return build_document(site.app)


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [item[method] for item in document["paths"].values() for method in METHODS if method in item]


def test_document_is_valid_openapi(document):
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_operation_has_its_own_id(document):
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", name) for name in ids)


def test_every_operation_has_one_tag(document):
    known = {tag["name"] for tag in document["tags"]}
    assert all(
        len(operation["tags"]) == 1 and operation["tags"][0] in known for operation in operations(document)
    )


def test_every_served_operation_is_documented(site, document):
    for operation in site.app.operations:
        assert operation.method.lower() in document["paths"][operation.path], operation.id


def test_errors_are_documented_as_problems(document):
    for operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                found = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                assert list(found["content"]) == ["application/problem+json"]


def test_protected_operations_name_the_token(document):
    assert document["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"
    orders = document["paths"]["/api/shop/orders"]
    assert orders["post"]["security"] == [{"bearerAuth": []}]
    assert document["paths"]["/api/shop/labels"]["get"]["security"] == [{}, {"bearerAuth": []}]
    assert document["paths"]["/api/auth/login"]["post"]["security"] == []


def test_components_are_named_by_plugin_and_resource(document):
    names = set(document["components"]["schemas"])
    assert {
        "ShopOrder",
        "ShopOrderCreate",
        "ShopOrderPatch",
        "ShopOrderReplace",
        "ShopEntryLegacyCreate",
    } <= names
    assert {"ShopOrderStatus", "ShopColour", "ShopLine", "ShopLineInput", "Problem"} <= names


def test_nullable_enum_refers_to_its_component(document):
    colour = document["components"]["schemas"]["ShopEverythingCreate"]["properties"]["colour"]
    assert colour["anyOf"] == [{"$ref": "#/components/schemas/ShopColour"}, {"type": "null"}]


def test_list_parameters_have_operators(document):
    parameters = {item["name"]: item for item in document["paths"]["/api/shop/orders"]["get"]["parameters"]}
    assert {"status", "status[in]", "due[gte]", "sort", "fields", "expand", "q", "count", "cursor"} <= set(
        parameters
    )
    assert parameters["sort"]["schema"]["items"]["enum"][:2] == ["number", "-number"]
    assert parameters["page_size"]["schema"]["maximum"] == 200


def test_conditional_headers_are_optional(document):
    update = document["paths"]["/api/shop/customers/{id}"]["patch"]
    header = next(item for item in update["parameters"] if item["name"] == "If-Match")
    assert "required" not in header
    assert {"412", "428"} <= set(update["responses"])
    assert "application/merge-patch+json" in update["requestBody"]["content"]


def test_wire_decides_shapes_and_statuses(document):
    legacy = document["paths"]["/api/legacy/entries"]
    assert legacy["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert "X-Total-Count" in legacy["get"]["responses"]["200"]["headers"]
    assert {"200", "400"} <= set(legacy["post"]["responses"])
    unfit = legacy["post"]["responses"]["422"]["$ref"].rpartition("/")[2]
    assert "key" in document["components"]["responses"][unfit]["description"]  # what is invalid is 400 here
    assert document["paths"]["/api/old-entries"]["get"]["operationId"] == "listShopEntryLegacyPath2"


def test_examples_fit_their_schemas(document):
    base = "https://example.org/openapi.json"
    registry = Registry().with_resource(base, Resource(document, DRAFT202012))
    for name, schema in document["components"]["schemas"].items():
        checker = Draft202012Validator({"$ref": f"{base}#/components/schemas/{name}"}, registry=registry)
        for example in schema.get("examples", ()):
            assert [error.message for error in checker.iter_errors(example)] == [], name


def test_every_value_has_an_example(document):
    for name, schema in document["components"]["schemas"].items():
        if (
            name.startswith(("Shop", "Site"))
            and "properties" in schema
            and not name.endswith(("Page", "Part", "Form"))  # a form holds a file
        ):
            needs_file = {"not": {}} in schema["properties"].values()
            assert "examples" in schema or name.endswith("BulkPatch") or needs_file, name


def test_document_is_the_same_every_time(site, document):
    assert build_document(site.app) == document


def test_document_is_served_with_a_tag(site):
    first = site.client().get("/openapi.json")
    again = site.client().get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, first.mimetype, again.status_code) == (200, "application/json", 304)


def test_swagger_page_loads_nothing_from_elsewhere(site):
    page = site.client().get("/docs")
    assert page.headers["Content-Security-Policy"] == POLICY
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
    assert "<script>" not in page.text
    for name in [*ASSETS, *PAGES]:
        assert site.client().get(f"/docs/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_hold_nothing_inline(site, path):
    page = site.client().get(path)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|<script>|\son\w+=|\sstyle=", page.text)
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_landing_page_links_to_the_documents(site):
    page = site.client().get("/")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert 'href="docs"' in page.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("POST", "/docs", 405),
        ("GET", "/docs/none.js", 404),
        ("GET", "/docs//start.js", 404),
    ],
)
def test_errors_of_flask_are_problems(site, method, path, status):
    answer = site.client().open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert ("Allow" in answer.headers) == (status == 405)


def test_options_are_told(site):
    answer = site.client().options("/api/shop/orders")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_head_answers_without_a_body(site):
    client = site.as_actor()
    got, head = client.get("/api/shop/labels"), client.head("/api/shop/labels")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_two_schemas_of_one_name_are_refused():
    components = Components(APISpec("Test", "1", "3.1.0"))
    first = components.schema(("Thing", "ThingInput"), {"type": "string"})
    assert components.schema(("Thing", "ThingInput"), {"type": "string"}) == first
    assert components.schema(("Thing", "ThingInput"), {"type": "null"})["$ref"].endswith("/ThingInput")
    with pytest.raises(ConfigurationError, match="would be called ThingInput: rename"):
        components.schema(("Thing", "ThingInput"), {"type": "number"})
    with pytest.raises(ConfigurationError, match="would be called Thing: rename"):
        components.marshmallow("Thing", Schema(), {})


def test_serving_loads_no_document_library(tmp_path):
    code = f"""
import sys
from pathlib import Path
from host.testing.sites import Site
site = Site.make(Path({str(SITE)!r}), "sqlite:///" + {str(tmp_path / "host.db")!r})
assert site.client().get("/api/shop/labels").status_code == 200
print([name for name in ("apispec", "flask_smorest", "webargs") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_enum_leaves_the_name_of_a_resource(tmp_path):
    (tmp_path / "resources.yaml").write_text("""
grammar: 1
site: {name: Test}
resources:
  task: {fields: {kind: {type: enum, values: [a, b]}}, access: public}
  task_kind: {fields: {name: string}, access: public}
""")
    site = Site.make(tmp_path, f"sqlite:///{tmp_path / 'host.db'}")
    schemas = build_document(site.app)["components"]["schemas"]
    site.close()
    assert schemas["SiteTaskKindValue"] == {"type": "string", "enum": ["a", "b"]}
    assert "name" in schemas["SiteTaskKind"]["properties"]
